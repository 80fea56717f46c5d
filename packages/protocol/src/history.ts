/** What happened to the files of a workspace: the journal, differences, who wrote which line, and going back. */
import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { FILE_TYPES } from './files.ts'
import { id, nothing, path } from './shared.ts'
import { workspaceParams } from './workspaces.ts'

const base = { access: 'workspace', params: workspaceParams, query: nothing, body: nothing, bodyKind: 'none', responseKind: 'json', status: 200 } as const

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
