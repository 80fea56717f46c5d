/** How a tool writes a text that it computed from one it read: only when that is still what is there. */
import { AppError } from '../errors.ts'
import type { ChangeSet } from '../services/files/change-set.ts'
import { writeFile, type WrittenFile } from '../services/files/file-tree.ts'
import { readText } from './read.ts'
import type { ToolContext } from './tool.ts'
import { optionalText } from './tool-arguments.ts'

export const LAST_READ_HASH = optionalText('The hash of the file as you read it: the edit is refused when the file has changed since.')

/** The text to edit. Throws `version_mismatch` when it is no longer what the caller has read. */
export async function readForEdit(path: string, lastReadHash: string | undefined, context: ToolContext): ReturnType<typeof readText> {
  const read = await readText(path, context)
  if (lastReadHash !== undefined && lastReadHash.toLowerCase() !== read.file.hash) throw changedSince(path)
  return read
}

export interface EditedFile {
  readonly path: string
  readonly content: Buffer
  /** What the content was computed from. */
  readonly ifHash: string
}

/** Stores the edited text. Throws `version_mismatch` when another writer came between. */
export async function writeEdited(set: ChangeSet, { path, content, ifHash }: EditedFile): Promise<WrittenFile> {
  try {
    return await writeFile(set, { path, content, ifHash })
  } catch (error) {
    throw error instanceof AppError && error.code === 'version_mismatch' ? changedSince(path, error) : error
  }
}

function changedSince(path: string, cause?: unknown): AppError {
  return new AppError('version_mismatch', `"${path}" has changed since you read it, so nothing was written. Read it again and repeat the edit on what is there now.`, { cause })
}
