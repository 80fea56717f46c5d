import { EPHEMERAL_EVENTS, type EphemeralEvent, type SseEvent, STORED_EVENTS, type StoredEvent } from '@buildscale/protocol'
import { parseJson, SdkError } from './sdk-error.ts'

/** What a frame means for a reader that has already seen everything up to `cursor`. */
export type Decoded =
  | { readonly type: 'event'; readonly event: SseEvent }
  /** A type that this version does not know; `id` moves the cursor all the same. */
  | { readonly type: 'unknown'; readonly name: string; readonly id: number | null }
  /** Delivered before. */
  | { readonly type: 'repeated' }

interface Frame {
  readonly id?: string | undefined
  readonly event?: string | undefined
  readonly data: string
}

/** Throws `SdkError` `invalid_response` on a frame that no version of the server writes. */
export function decodeEvent(frame: Frame, cursor: number): Decoded {
  const id = frame.id === undefined ? null : Number(frame.id)
  if (id !== null && !(Number.isSafeInteger(id) && id > 0)) throw invalidFrame(frame, 'its id is not a whole number above 0')
  if (id !== null && id <= cursor) return { type: 'repeated' }
  const envelope = parseJson(frame.data)
  if (!isEnvelope(envelope)) throw invalidFrame(frame, 'its data is not {"type", "data"}')
  if (id !== null && isStored(envelope)) return { type: 'event', event: { id, ...envelope } }
  if (id === null && isEphemeral(envelope)) return { type: 'event', event: { id, ...envelope } }
  return { type: 'unknown', name: envelope.type, id }
}

function isEnvelope(value: unknown): value is { readonly type: string; readonly data: object } {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('data' in value)) return false
  return typeof value.type === 'string' && typeof value.data === 'object' && value.data !== null
}

// The type decides; the fields are the server's word. A schema per delta would cost more than the delta.
function isStored(envelope: { readonly type: string; readonly data: object }): envelope is StoredEvent {
  return Object.hasOwn(STORED_EVENTS, envelope.type)
}

function isEphemeral(envelope: { readonly type: string; readonly data: object }): envelope is EphemeralEvent {
  return Object.hasOwn(EPHEMERAL_EVENTS, envelope.type)
}

function invalidFrame(frame: Frame, reason: string): SdkError {
  return new SdkError('invalid_response', `The event stream holds a frame that is not BuildScale's: ${reason}`, { status: 200, details: { id: frame.id, event: frame.event, data: frame.data.slice(0, 500) } })
}
