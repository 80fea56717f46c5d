import type { FileEntry } from '@buildscale/protocol'
import { AppError } from '../errors.ts'
import { parsePath } from '../services/files/file-path.ts'
import { createFolder, writeFile } from '../services/files/file-tree.ts'
import { isPlanPath } from '../services/plans/plan-path.ts'
import { utf8 } from './file-text.ts'
import { defineWriteTool } from './tool.ts'
import { flag, longText, optionalChoice, shortText, toolArguments } from './tool-arguments.ts'

const WRITABLE_TYPES = ['document', 'plan', 'memory', 'folder'] as const

export const writeTool = defineWriteTool({
  name: 'write',
  description: 'Write a whole file: create it, with the folders above it, or replace its content with overwrite: true. To change a part of a file use edit.',
  arguments: toolArguments({
    path: shortText('The file, for example "/src/main.ts".'),
    content: longText('The whole content, stored exactly as given. Empty text for a folder.'),
    file_type: optionalChoice(WRITABLE_TYPES, 'What it is. Default: what the file is already; of a new one "plan" for "/plans/….plan", else "document". "folder" creates a folder.'),
    overwrite: flag('Replace the content of a file that exists.'),
  }),
  inPlanMode: ({ path, file_type: fileType }) => fileType !== 'folder' && isPlanPath(parsePath(path)),
  // What is there already is looked at once, in `apply`, where it cannot change any more: a look before that would only cost time.
  async prepare({ path: asked, content, file_type: fileType, overwrite }) {
    const path = parsePath(asked)
    if (fileType === 'folder') return prepareFolder(path, content)
    if (path === '/') throw new AppError('invalid_request', '"/" is the workspace itself. Name a file.')
    return Promise.resolve({ type: 'file', path, bytes: utf8(content, 'content'), fileType, overwrite } as const)
  },
  async apply(prepared, set) {
    if (prepared.type === 'folder') {
      const { file, created } = await createFolder(set, prepared.path)
      return { path: file.path, file_id: file.id, version: null, hash: null, size: null, created, unchanged: !created }
    }
    const { path, bytes, fileType } = prepared
    const options = { path, content: bytes, checkExisting: (existing: FileEntry) => checkExisting(existing, prepared) }
    const { file, version, created, unchanged } = await writeFile(set, { ...options, ...(fileType !== undefined && { fileType }) })
    return { path: file.path, file_id: file.id, version: version.number, hash: version.hash, size: version.size, created, unchanged }
  },
})

function prepareFolder(path: string, content: string): { readonly type: 'folder'; readonly path: string } {
  if (content !== '') throw new AppError('invalid_request', 'A folder has no content: leave it empty, or give another file_type.')
  return { type: 'folder', path }
}

interface Wanted {
  readonly path: string
  readonly fileType: string | undefined
  readonly overwrite: boolean
}

function checkExisting(entry: FileEntry, { path, fileType, overwrite }: Wanted): void {
  if (entry.file_type === 'folder') throw new AppError('conflict', `"${path}" is a folder. Name a file in it, for example "${path}/notes.md".`)
  if (!overwrite) throw new AppError('conflict', `"${path}" exists already. To change a part of it use edit; to replace all of it call write with overwrite: true.`)
  if (fileType === undefined || fileType === entry.file_type) return
  throw new AppError('conflict', `"${path}" is of type ${entry.file_type}, which cannot be changed to ${fileType}. Leave out file_type.`)
}
