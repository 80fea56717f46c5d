/**
 * The events of a chat's stream and of a workspace's. On the wire: `id:` the seq of that chat, or of the workspace's journal (none for ephemeral ones), `event:` the type, `data:` `{"type", "data"}`.
 * The schemas document and test the shapes; no event is validated on the way (a schema per delta would cost more than the delta).
 */
import { z } from 'zod'
import { chat, TOOL_EFFECTS } from './chats.ts'
import { change, CHANGE_KINDS } from './files.ts'
import { id, usage } from './shared.ts'

/** What the data of every event of a turn has besides its own fields. */
const ofTurn = { turn_id: id, step: z.number().int(), attempt: z.number().int() }
const delta = z.object({ ...ofTurn, part_id: id, offset: z.number().int(), text: z.string() })

export const STORED_EVENTS = {
  message: z.object({ message_id: id, role: z.literal('user'), content: z.string(), position: z.number().int() }),
  turn_started: z.object({ ...ofTurn, message_id: id }),
  step_restarted: z.object({ ...ofTurn, void_from_seq: z.number().int(), reason: z.string() }),
  thought: delta,
  chunk: delta,
  call: z.object({ ...ofTurn, call_id: id, tool: z.string(), path: z.string().nullable(), args: z.unknown(), effect: z.enum(TOOL_EFFECTS) }),
  observation: z.object({ ...ofTurn, call_id: id, output: z.unknown(), success: z.boolean(), duration_ms: z.number() }),
  file_updated: z.object({ ...ofTurn, path: z.string(), version: z.number().int().nullable(), change_seq: z.number().int(), kind: z.enum(CHANGE_KINDS), call_id: id }),
  usage: z.object({ ...ofTurn, usage, cost: z.number().nullable() }),
  done: z.object({
    ...ofTurn,
    message_id: id,
    usage,
    cost: z.number().nullable(),
    model: z.string(),
    timings: z.object({ queued_ms: z.number(), first_delta_ms: z.number().nullable(), total_ms: z.number() }),
  }),
  stopped: z.object({ ...ofTurn, reason: z.string(), message_id: id.nullable() }),
  error: z.object({ ...ofTurn, code: z.string(), message: z.string(), retryable: z.boolean() }),
} as const

/** Sent to whoever is connected, stored nowhere, without `id:`. */
export const EPHEMERAL_EVENTS = {
  session_init: z.object({ chat, turn_id: id.nullable(), last_seq: z.number().int() }),
  call_delta: z.object({ ...ofTurn, call_id: id, tool: z.string(), text: z.string() }),
  call_progress: z.looseObject({ ...ofTurn, call_id: id }),
} as const

export type StoredEventType = keyof typeof STORED_EVENTS
export type EphemeralEventType = keyof typeof EPHEMERAL_EVENTS
export type StoredEventData = { readonly [Type in StoredEventType]: z.output<(typeof STORED_EVENTS)[Type]> }
export type EphemeralEventData = { readonly [Type in EphemeralEventType]: z.output<(typeof EPHEMERAL_EVENTS)[Type]> }

/** An event that a chat keeps, as a closed union over `type`. */
export type StoredEvent = { readonly [Type in StoredEventType]: { readonly type: Type; readonly data: StoredEventData[Type] } }[StoredEventType]
export type EphemeralEvent = { readonly [Type in EphemeralEventType]: { readonly type: Type; readonly data: EphemeralEventData[Type] } }[EphemeralEventType]

/** What a client receives: a stored event with its seq, or an ephemeral one with `id: null`. */
export type SseEvent = ({ readonly id: number } & StoredEvent) | ({ readonly id: null } & EphemeralEvent)

/** The events that end a turn; each turn has exactly one. They do not end the stream. */
export const TERMINAL_EVENTS = ['done', 'stopped', 'error'] as const satisfies readonly StoredEventType[]

/** The events of a workspace's stream, whose ids are the seqs of its journal. */
export const WORKSPACE_EVENTS = {
  file_updated: change.omit({ seq: true, tool_call_id: true }).extend({ change_seq: z.number().int(), call_id: id.nullable() }),
} as const

/** The first frame of every connection, without `id:`. */
export const WORKSPACE_EPHEMERAL_EVENTS = {
  session_init: z.object({ workspace_id: id, last_seq: z.number().int() }),
} as const

/** What a client of a workspace's stream receives. */
export type WorkspaceEvent =
  | { readonly id: number; readonly type: 'file_updated'; readonly data: z.output<(typeof WORKSPACE_EVENTS)['file_updated']> }
  | { readonly id: null; readonly type: 'session_init'; readonly data: z.output<(typeof WORKSPACE_EPHEMERAL_EVENTS)['session_init']> }
