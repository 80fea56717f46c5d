/** Many files at once: archives and forms in, archives out. */
import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import type { ErrorBody } from './error.ts'
import { id, nothing, path } from './shared.ts'
import { workspaceParams } from './workspaces.ts'

/** Something of an archive that was not stored, and why. */
export const skippedEntry = z.object({ path: z.string(), reason: z.string() })
export type SkippedEntry = z.output<typeof skippedEntry>

const counts = {
  /** Files that are new or got a new version. */
  imported: z.number().int(),
  /** Files that had these bytes already. */
  unchanged: z.number().int(),
  /** Bytes of both. */
  bytes: z.number().int(),
  skipped_count: z.number().int(),
}

/** What an import has done so far. */
export const importProgress = z.object(counts)
export type ImportProgress = z.output<typeof importProgress>

/** `skipped` names the first thousand; `change_set_id` is that of every change, null when nothing changed. */
export const importResult = z.object({ ...counts, skipped: z.array(skippedEntry), change_set_id: id.nullable() })
export type ImportResult = z.output<typeof importResult>

/** What an import tells while it runs, as server-sent events without ids: progress, then exactly one of `done` and `error`. */
export type ImportEvent =
  | { readonly type: 'progress'; readonly data: ImportProgress }
  | { readonly type: 'done'; readonly data: ImportResult }
  | { readonly type: 'error'; readonly data: ErrorBody['error'] }

const base = { access: 'workspace', params: workspaceParams, body: nothing, bodyKind: 'none', status: 200 } as const

export const importFiles = endpoint({
  ...base,
  name: 'importFiles',
  summary: 'Store what a tar (plain or gzip), a zip or a form holds below a folder; with `Accept: text/event-stream`, progress as it goes.',
  method: 'POST',
  path: '/workspaces/:w/import',
  query: z.strictObject({ path: path.default('/') }),
  body: z.instanceof(Uint8Array),
  bodyKind: 'bytes',
  response: importResult,
  responseKind: 'json',
})

export const exportFiles = endpoint({
  ...base,
  name: 'exportFiles',
  summary: 'A folder with its content, or one file, as a tar.',
  method: 'GET',
  path: '/workspaces/:w/export',
  query: z.strictObject({ path: path.default('/') }),
  response: z.instanceof(Uint8Array),
  responseKind: 'bytes',
})

