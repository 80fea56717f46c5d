/** The text files below a folder with their contents: an indexed listing, then a few round trips for the contents, within bounds. */
import type { FileEntry } from '@buildscale/protocol'
import { plainText } from '../services/files/utf8-text.ts'
import { findEntry } from './find-entry.ts'
import type { ToolContext } from './tool.ts'

export interface TextBelow {
  readonly path: string
  readonly updatedAt: string
  /** Undefined for what is over 1 MiB or not text. */
  readonly text: string | undefined
}

export interface TextsBelow {
  readonly files: readonly TextBelow[]
  /** There are more files than these. */
  readonly more: boolean
}

const PAGE = 1_000
/** Files that one call looks into, and entries that it passes over for them. */
const MOST_FILES = 2_000
const MOST_ENTRIES = 20_000
const BATCH_FILES = 200
const BATCH_BYTES = 8 * 1024 * 1024

/** Files below `folder`, in the order of their paths, that `accept` takes by their path. Nothing when there is no such folder. */
export async function textsBelow(folder: string, accept: (path: string) => boolean, context: ToolContext): Promise<TextsBelow> {
  if ((await findEntry(context, folder))?.file_type !== 'folder') return { files: [], more: false }
  const { entries, more } = await entriesBelow(folder, accept, context)
  const files: TextBelow[] = []
  for (const batch of batches(entries)) {
    context.signal.throwIfAborted()
    const contents = await context.conn.run((conn) => context.files.readMany(conn, { workspaceId: context.workspaceId, hashes: batch.map(({ hash }) => hash ?? '') }))
    for (const { path, hash, updated_at: updatedAt } of batch) files.push({ path, updatedAt, text: textOf(contents.get(hash ?? '')) })
  }
  return { files, more }
}

async function entriesBelow(folder: string, accept: (path: string) => boolean, context: ToolContext): Promise<{ readonly entries: readonly FileEntry[]; readonly more: boolean }> {
  const entries: FileEntry[] = []
  let cursor: string | undefined
  for (let seen = 0; seen < MOST_ENTRIES && entries.length < MOST_FILES; seen += PAGE) {
    context.signal.throwIfAborted()
    const at = { workspaceId: context.workspaceId, path: folder, recursive: true, limit: PAGE, ...(cursor !== undefined && { cursor }) }
    const page = await context.conn.run((conn) => context.files.list(conn, at))
    entries.push(...page.items.filter((entry) => entry.hash !== null && accept(entry.path)))
    if (page.nextCursor === null) return { entries: entries.slice(0, MOST_FILES), more: entries.length > MOST_FILES }
    cursor = page.nextCursor
  }
  return { entries: entries.slice(0, MOST_FILES), more: true }
}

function batches(entries: readonly FileEntry[]): readonly (readonly FileEntry[])[] {
  const all: FileEntry[][] = []
  let bytes = Infinity
  for (const entry of entries) {
    bytes += entry.size ?? 0
    const last = all.at(-1)
    if (last !== undefined && bytes <= BATCH_BYTES && last.length < BATCH_FILES) last.push(entry)
    else {
      all.push([entry])
      bytes = entry.size ?? 0
    }
  }
  return all
}

function textOf(bytes: Buffer | undefined): string | undefined {
  return bytes === undefined ? undefined : plainText(bytes)
}
