import type { Change, FileVersion } from '@buildscale/protocol'
import { changesBelow, fileHistory } from '../services/files/file-history.ts'
import { parsePath } from '../services/files/file-path.ts'
import { findEntry, requireEntry } from './find-entry.ts'
import { fittingItems } from './result-limit.ts'
import { defineReadTool, type ToolContext } from './tool.ts'
import { limit, optionalInteger, optionalText, toolArguments } from './tool-arguments.ts'

const DEFAULT_LIMIT = 20
const MAX_LIMIT = 1_000

export const historyTool = defineReadTool({
  name: 'history',
  description:
    'Show what happened, newest first. Of a file: its versions, with who made each, in which turn and by which tool call (diff compares two, restore brings one back). Of a folder, or of a path that is gone: the latest changes at or below it.',
  arguments: toolArguments({
    path: optionalText('The file or folder. Default "/": the whole workspace.'),
    limit: limit('versions or changes', DEFAULT_LIMIT),
    cursor: optionalInteger('Go on after the previous result: its cursor.', { min: 1 }),
  }),
  async run({ path: asked = '/', limit: most, cursor }, context) {
    const path = parsePath(asked)
    const page = { limit: most === 0 ? MAX_LIMIT : Math.min(most, MAX_LIMIT), ...(cursor !== undefined && { before: cursor }) }
    const entry = await findEntry(context, path)
    return entry === undefined || entry.file_type === 'folder' ? changesAt(context, { path, isGone: entry === undefined, page }) : versionsOf(context, path, page)
  },
})

interface HistoryPage {
  readonly limit: number
  readonly before?: number
}

async function versionsOf({ conn, workspaceId }: ToolContext, path: string, page: HistoryPage) {
  const { items, hasMore } = await conn.run((db) => fileHistory(db, { workspaceId, path }, page))
  const versions = fittingItems(items.map(shownVersion))
  const truncated = hasMore || versions.length < items.length
  return { path, kind: 'versions', versions, truncated, ...next(truncated, versions.at(-1)?.version) }
}

async function changesAt(context: ToolContext, { path, isGone, page }: { readonly path: string; readonly isGone: boolean; readonly page: HistoryPage }) {
  const { conn, workspaceId } = context
  const { items, hasMore } = await conn.run((db) => changesBelow(db, { workspaceId, path }, page))
  // Nothing was ever there: the refusal names what is near.
  if (isGone && items.length === 0 && page.before === undefined) await requireEntry(context, path)
  const changes = fittingItems(items.map(shownChange))
  const truncated = hasMore || changes.length < items.length
  return { path, kind: 'changes', changes, truncated, ...next(truncated, changes.at(-1)?.seq) }
}

function next(truncated: boolean, cursor: number | undefined): { readonly cursor: number | null; readonly notice: string | null } {
  return truncated && cursor !== undefined ? { cursor, notice: `There is more. Go on with cursor: ${cursor}.` } : { cursor: null, notice: null }
}

function shownVersion({ tool, ...version }: FileVersion & { readonly tool: string | null }) {
  const { number, size, hash, author, turn_id, tool_call_id, created_at } = version
  return { version: number, size, hash, author: author.kind, author_id: author.id, tool, turn_id, tool_call_id, created_at }
}

function shownChange({ tool, ...change }: Change & { readonly tool: string | null }) {
  const { seq, kind, path, from_path, version, author, turn_id, tool_call_id, at } = change
  return { seq, kind, path, from_path, version, author: author.kind, author_id: author.id, tool, turn_id, tool_call_id, at }
}
