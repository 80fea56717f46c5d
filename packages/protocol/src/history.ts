/** What happened to the files of a workspace: the journal, differences, who wrote which line, and going back. */
import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { AUTHOR_KINDS, change, FILE_TYPES } from './files.ts'
import { empty, id, nothing, page, path, queryInteger, time } from './shared.ts'
import { workspaceParams } from './workspaces.ts'

const base = { access: 'workspace', params: workspaceParams, query: nothing, body: nothing, bodyKind: 'none', responseKind: 'json', status: 200 } as const

const version = queryInteger.pipe(z.number().min(1)).optional()
const limit = queryInteger.pipe(z.number().min(1).max(1000)).optional()

export const listChanges = endpoint({
  ...base,
  name: 'listChanges',
  summary: 'The journal after a seq, oldest first; next_cursor is the `after` of the next page.',
  method: 'GET',
  path: '/workspaces/:w/changes',
  query: z.strictObject({ after: queryInteger.optional(), cursor: queryInteger.optional(), limit }),
  response: page(change),
})

export const workspaceEvents = endpoint({
  ...base,
  name: 'workspaceEvents',
  summary: 'The journal as server-sent events: replay after a cursor, then live.',
  method: 'GET',
  path: '/workspaces/:w/events',
  query: z.strictObject({ after: queryInteger.optional() }),
  response: empty,
  responseKind: 'events',
})

export const fileDiff = z.discriminatedUnion('binary', [
  z.object({
    binary: z.literal(false),
    path: z.string(),
    from: z.number().int(),
    to: z.number().int(),
    /** Unified, with three lines of context; empty when the bytes are the same. */
    diff: z.string(),
    added: z.number().int(),
    removed: z.number().int(),
    /** False: the search for the smallest difference took too long, so the whole part that differs stands there as removed and added. It applies all the same. */
    minimal: z.boolean(),
  }),
  z.object({ binary: z.literal(true), path: z.string(), from: z.number().int(), to: z.number().int() }),
])
export type FileDiff = z.output<typeof fileDiff>

export const diffFile = endpoint({
  ...base,
  name: 'diffFile',
  summary: 'The difference between two versions of a file, unified; by default of the latest to the one before.',
  method: 'GET',
  path: '/workspaces/:w/files/diff',
  query: z.strictObject({ path, from: version, to: version }),
  response: fileDiff,
})

/** Lines that came in with one version. */
export const blameRange = z.object({
  /** The first line, from 1, and how many. */
  line: z.number().int(),
  count: z.number().int(),
  version: z.number().int(),
  author: z.object({ kind: z.enum(AUTHOR_KINDS), id: id.nullable() }),
  turn_id: id.nullable(),
  tool_call_id: id.nullable(),
  /** The assistant message that holds the call. */
  message_id: id.nullable(),
  chat_id: id.nullable(),
  created_at: time,
})
export type BlameRange = z.output<typeof blameRange>

export const fileBlame = z.object({ path: z.string(), version: z.number().int(), lines: z.number().int(), ranges: z.array(blameRange) })
export type FileBlame = z.output<typeof fileBlame>

export const blameFile = endpoint({
  ...base,
  name: 'blameFile',
  summary: 'Who wrote which lines of a file: ranges with their version, author, turn, tool call and message.',
  method: 'GET',
  path: '/workspaces/:w/files/blame',
  query: z.strictObject({ path, version }),
  response: fileBlame,
})

/** What a rewind makes of one file. `created` is a folder that has to be made; a file that comes out of the trash is `restored`. */
export const rewindChange = z.object({
  kind: z.enum(['created', 'updated', 'moved', 'deleted', 'restored']),
  /** Null for a folder that is made anew. */
  file_id: id.nullable(),
  file_type: z.enum(FILE_TYPES),
  /** Where it is afterwards; of one that goes to the trash, where it was. */
  path: z.string(),
  /** Where it was before a move; otherwise null. */
  from_path: z.string().nullable(),
  /** The version whose bytes come back, and their number; null when the bytes stay. */
  version: z.number().int().nullable(),
  size: z.number().int().nullable(),
})
export type RewindChange = z.output<typeof rewindChange>

/** A file that cannot go back: `purged`, its bytes are gone for good; `occupied`, something outside of the asked paths stands in its place. */
export const rewindLeft = z.object({ file_id: id, path: z.string(), reason: z.enum(['purged', 'occupied']) })
export type RewindLeft = z.output<typeof rewindLeft>

export const rewindResult = z.object({
  to_seq: z.number().int(),
  dry_run: z.boolean(),
  /** The journal's last seq: of a preview, the one that it was made at; otherwise after the rewind. */
  change_seq: z.number().int(),
  /** Null for a preview, and when there was nothing to do. */
  change_set_id: id.nullable(),
  changes: z.array(rewindChange),
  left: z.array(rewindLeft),
})
export type RewindResult = z.output<typeof rewindResult>

export const rewind = endpoint({
  ...base,
  name: 'rewind',
  summary: 'Bring files back to what they were at a seq, or before a turn; with dry_run, list what that would change.',
  method: 'POST',
  path: '/workspaces/:w/rewind',
  body: z
    .strictObject({
      to_seq: z.number().int().min(0).optional(),
      before_turn: id.optional(),
      paths: z.array(path).min(1).max(100).optional(),
      dry_run: z.boolean().default(false),
      if_seq: z.number().int().min(0).optional(),
    })
    .refine(({ to_seq, before_turn }) => (to_seq === undefined) !== (before_turn === undefined), { message: 'name either to_seq or before_turn' }),
  bodyKind: 'json',
  response: rewindResult,
})
