import type { FileEntry } from '@buildscale/protocol'
import { AppError } from '../errors.ts'
import { parsePath } from '../services/files/file-path.ts'
import { requireEntry } from './find-entry.ts'
import { fittingItems } from './result-limit.ts'
import { defineReadTool, type ToolContext } from './tool.ts'
import { flag, limit, optionalText, toolArguments } from './tool-arguments.ts'

/** What a listing shows of a file or folder; of a folder, size and version are null. */
export type ListedEntry = Pick<FileEntry, 'path' | 'name' | 'file_type' | 'size' | 'version' | 'updated_at'>

const DEFAULT_LIMIT = 50
const PAGE = 1000
/** More entries than fit into one result, so that `limit: 0` ends. */
const MOST_ENTRIES = 20_000

interface Listing {
  readonly path: string
  readonly recursive: boolean
  readonly limit: number
  readonly cursor: string | undefined
}

export const lsTool = defineReadTool({
  name: 'ls',
  description: 'List a folder of the workspace: folders first, then files, each by name. With recursive, everything below it, by path.',
  arguments: toolArguments({
    path: optionalText('The folder, for example "/src". Default "/", the whole workspace.'),
    recursive: flag('Also list what is in the folders below.'),
    limit: limit('entries', DEFAULT_LIMIT),
    cursor: optionalText('Where to go on: the cursor of the previous result, with the same path and recursive.'),
  }),
  async run({ path: asked, recursive, limit: most, cursor }, context) {
    const path = parsePath(asked ?? '/')
    const folder = await requireEntry(context, path)
    if (folder.file_type !== 'folder') throw new AppError('conflict', `"${path}" is a file, not a folder. Use read for its content or file_info for its size and version.`)
    const { entries, nextCursor } = await listEntries({ path, recursive, limit: most === 0 ? MOST_ENTRIES : most, cursor }, context)
    return { path, entries, truncated: nextCursor !== null, cursor: nextCursor, notice: notice(entries.length, nextCursor) }
  },
})

/** Pages through the folder. When the result gets too large, it is cut, and the page asked for again with exactly what fitted, so that its cursor is right. */
async function listEntries(listing: Listing, context: ToolContext): Promise<{ entries: readonly ListedEntry[]; nextCursor: string | null }> {
  const entries: ListedEntry[] = []
  let cursor = listing.cursor
  while (entries.length < listing.limit) {
    context.signal.throwIfAborted()
    const size = Math.min(PAGE, listing.limit - entries.length)
    const page = await readPage({ ...listing, limit: size, cursor }, context)
    const fitting = fittingItems([...entries, ...page.items.map(listedEntry)]).length - entries.length
    if (fitting === 0 && page.items.length > 0) break
    const { items, nextCursor } = fitting < page.items.length ? await readPage({ ...listing, limit: fitting, cursor }, context) : page
    entries.push(...items.map(listedEntry))
    cursor = nextCursor ?? undefined
    if (nextCursor === null || fitting < page.items.length) break
  }
  return { entries, nextCursor: cursor ?? null }
}

function readPage({ path, recursive, limit: most, cursor }: Listing, { conn, files, workspaceId }: ToolContext) {
  return conn.run((db) => files.list(db, { workspaceId, path, recursive, limit: most, ...(cursor !== undefined && { cursor }) }))
}

function listedEntry({ path, name, file_type, size, version, updated_at }: FileEntry): ListedEntry {
  return { path, name, file_type, size, version, updated_at }
}

function notice(shown: number, nextCursor: string | null): string | null {
  return nextCursor === null ? null : `There are more than these ${shown} entries. Call ls again with this cursor to go on, or use glob to find files by name.`
}
