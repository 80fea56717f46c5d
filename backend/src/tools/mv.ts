import type { FileEntry } from '@buildscale/protocol'
import { AppError } from '../errors.ts'
import { baseName, isInside, parsePath } from '../services/files/file-path.ts'
import { moveFile } from '../services/files/file-tree.ts'
import { childPath, findEntry, requireEntry } from './find-entry.ts'
import { defineWriteTool } from './tool.ts'
import { shortText, toolArguments } from './tool-arguments.ts'

export const mvTool = defineWriteTool({
  name: 'mv',
  description: 'Move or rename a file, or a folder with everything in it. Never overwrites. Versions and history move along.',
  arguments: toolArguments({
    source: shortText('The file or folder to move.'),
    destination: shortText('The new path. An existing folder, or a path that ends in "/", means: into that folder, keeping the name. Missing folders are created.'),
  }),
  async prepare({ source, destination }, context) {
    const from = parsePath(source)
    if (from === '/') throw new AppError('invalid_request', '"/" is the workspace itself and cannot be moved. Name a file or folder in it.')
    await requireEntry(context, from)
    const to = parsePath(destination)
    const found = await findEntry(context, to)
    const target = finalPath(from, { to, found, isFolder: destination.endsWith('/') })
    const taken = target === to ? found : await findEntry(context, target)
    checkMove(from, target, taken)
    return { from, to: target }
  },
  async apply(move, set) {
    const { file } = await moveFile(set, move)
    return { from_path: move.from, to_path: file.path, file_id: file.id }
  },
})

interface Destination {
  readonly to: string
  readonly found: FileEntry | undefined
  /** It was written with a slash at its end. */
  readonly isFolder: boolean
}

/** Where the thing at `from` will be. */
function finalPath(from: string, { to, found, isFolder }: Destination): string {
  if (found === undefined) return isFolder ? childPath(to, baseName(from)) : to
  if (found.file_type === 'folder' && to !== from) return childPath(to, baseName(from))
  if (isFolder && found.file_type !== 'folder') throw new AppError('conflict', `"${to}" is a file, so nothing can be moved into it. Leave out the "/" at its end to name a new path.`)
  return to
}

function checkMove(from: string, to: string, taken: FileEntry | undefined): void {
  if (to === from) throw new AppError('invalid_request', `"${from}" is there already: source and destination are the same.`)
  if (isInside(to, from)) throw new AppError('invalid_request', `The folder "${from}" cannot be moved into itself ("${to}").`)
  if (taken === undefined) return
  throw new AppError('conflict', `"${to}" exists already, and mv never overwrites. Choose another destination, or remove it first with rm.`)
}
