/** Versions and changes with the tools that made them, newest first. */
import type { Change, FileVersion } from '@buildscale/protocol'
import type { DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { type FilePlace, findFile } from '../../repositories/file-repository.ts'
import { listVersions } from '../../repositories/file-version-repository.ts'
import { findCallPlaces, readChangesBelow } from '../../repositories/history-repository.ts'
import { versionEntry } from './file-entry.ts'
import { changeEntry } from './journal-reader.ts'

export { findTrashedAt } from '../../repositories/history-repository.ts'

export interface HistoryPage {
  readonly limit: number
  /** The last number of the page before. */
  readonly before?: number
}

/** The name of the tool whose call made it; null for what people did by hand. */
type WithTool<Item> = Item & { readonly tool: string | null }

interface HistoryItems<Item> {
  readonly items: readonly WithTool<Item>[]
  readonly hasMore: boolean
}

/** The versions of a file. Throws `not_found` for what has none. */
export async function fileHistory(conn: DbConn, { workspaceId, path }: FilePlace, { limit, before }: HistoryPage): Promise<HistoryItems<FileVersion>> {
  const file = await findFile(conn, { workspaceId, path })
  if (file === undefined || file.latest === null) throw new AppError('not_found', `There is no file "${path}".`)
  const rows = before === undefined || before > file.latest.number ? {} : { before }
  const versions = (await listVersions(conn, { workspaceId, fileId: file.id }, { limit: limit + 1, ...rows })).map(versionEntry)
  return { items: await withTools(conn, workspaceId, versions.slice(0, limit)), hasMore: versions.length > limit }
}

/** The latest changes at or below a path. */
export async function changesBelow(conn: DbConn, place: FilePlace, { limit, before }: HistoryPage): Promise<HistoryItems<Change>> {
  const changes = (await readChangesBelow(conn, place, { limit: limit + 1, ...(before !== undefined && { before }) })).map(changeEntry)
  return { items: await withTools(conn, place.workspaceId, changes.slice(0, limit)), hasMore: changes.length > limit }
}

async function withTools<Item extends { readonly tool_call_id: string | null }>(conn: DbConn, workspaceId: string, items: readonly Item[]): Promise<WithTool<Item>[]> {
  const ids = new Set(items.flatMap(({ tool_call_id: id }) => id ?? []))
  const calls = ids.size === 0 ? [] : await findCallPlaces(conn, workspaceId, [...ids])
  const tools = new Map(calls.map(({ id, tool }) => [id, tool]))
  return items.map((item) => ({ ...item, tool: tools.get(item.tool_call_id ?? '') ?? null }))
}
