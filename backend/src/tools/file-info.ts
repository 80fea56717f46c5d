import type { FileEntry } from '@buildscale/protocol'
import { AppError } from '../errors.ts'
import { parsePath } from '../services/files/file-path.ts'
import { requireEntry } from './find-entry.ts'
import { fileText } from './file-text.ts'
import { countLines } from './text-lines.ts'
import { defineReadTool, type ToolContext } from './tool.ts'
import { shortText, toolArguments } from './tool-arguments.ts'

/** Lines are counted only in files up to this size. */
const COUNT_LIMIT_BYTES = 16 * 1024 * 1024

export const fileInfoTool = defineReadTool({
  name: 'file_info',
  description: 'Facts about a file or folder without its content: type, size, lines, hash, version, time of the last change.',
  arguments: toolArguments({ path: shortText('The file or folder.') }),
  async run({ path: asked }, context) {
    const entry = await requireEntry(context, parsePath(asked))
    const { path, name, file_type, size, version, hash, mime, updated_at } = entry
    return { path, name, file_type, size, line_count: await lineCount(entry, context), version, hash, mime, updated_at, file_id: entry.id }
  },
})

/** Null for folders, files that are not text and very large ones. */
async function lineCount({ path, size, hash }: FileEntry, { conn, files, workspaceId }: ToolContext): Promise<number | null> {
  if (hash === null || size === null || size > COUNT_LIMIT_BYTES) return null
  try {
    const { file, bytes } = await conn.run((db) => files.read(db, { workspaceId, path, maxBytes: COUNT_LIMIT_BYTES }))
    return countLines(fileText(file, bytes))
  } catch (error) {
    if (error instanceof AppError && error.code === 'unsupported_media_type') return null
    throw error
  }
}
