import { EPHEMERAL_EVENTS, type EphemeralEvent, type SseEvent, STORED_EVENTS, type StoredEvent, WORKSPACE_EPHEMERAL_EVENTS, WORKSPACE_EVENTS, type WorkspaceEvent } from '@buildscale/protocol'
import { parseJson, SdkError } from './sdk-error.ts'

/** What a frame means for a reader that has already seen everything up to `cursor`. */
export type Decoded<Event> =
  | { readonly type: 'event'; readonly event: Event }
  /** A type that this version does not know; `id` moves the cursor all the same. */
  | { readonly type: 'unknown'; readonly name: string; readonly id: number | null }
  /** Delivered before. */
  | { readonly type: 'repeated' }

interface Frame {
  readonly id?: string | undefined
  readonly event?: string | undefined
  readonly data: string
}

interface Envelope {
  readonly type: string
  readonly data: object
}

/** An event of a chat. Throws `SdkError` `invalid_response` on a frame that no version of the server writes. */
export function decodeEvent(frame: Frame, cursor: number): Decoded<SseEvent> {
  return decode(frame, cursor, (id, envelope) => {
    if (id !== null) return isStored(envelope) ? { id, ...envelope } : undefined
    return isEphemeral(envelope) ? { id, ...envelope } : undefined
  })
}

/** An event of a workspace's journal. Throws like `decodeEvent`. */
export function decodeWorkspaceEvent(frame: Frame, cursor: number): Decoded<WorkspaceEvent> {
  return decode(frame, cursor, (id, envelope) => {
    const event = { id, ...envelope }
    return isWorkspaceEvent(event) ? event : undefined
  })
}

function decode<Event>(frame: Frame, cursor: number, known: (id: number | null, envelope: Envelope) => Event | undefined): Decoded<Event> {
  const id = frame.id === undefined ? null : Number(frame.id)
  if (id !== null && !(Number.isSafeInteger(id) && id > 0)) throw invalidFrame(frame, 'its id is not a whole number above 0')
  if (id !== null && id <= cursor) return { type: 'repeated' }
  const envelope = parseJson(frame.data)
  if (!isEnvelope(envelope)) throw invalidFrame(frame, 'its data is not {"type", "data"}')
  const event = known(id, envelope)
  return event === undefined ? { type: 'unknown', name: envelope.type, id } : { type: 'event', event }
}

function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('data' in value)) return false
  return typeof value.type === 'string' && typeof value.data === 'object' && value.data !== null
}

// The type decides; the fields are the server's word. A schema per delta would cost more than the delta.
function isStored(envelope: Envelope): envelope is StoredEvent {
  return Object.hasOwn(STORED_EVENTS, envelope.type)
}

function isEphemeral(envelope: Envelope): envelope is EphemeralEvent {
  return Object.hasOwn(EPHEMERAL_EVENTS, envelope.type)
}

function isWorkspaceEvent(event: Envelope & { readonly id: number | null }): event is WorkspaceEvent {
  return Object.hasOwn(event.id === null ? WORKSPACE_EPHEMERAL_EVENTS : WORKSPACE_EVENTS, event.type)
}

function invalidFrame(frame: Frame, reason: string): SdkError {
  return new SdkError('invalid_response', `The event stream holds a frame that is not BuildScale's: ${reason}`, { status: 200, details: { id: frame.id, event: frame.event, data: frame.data.slice(0, 500) } })
}
