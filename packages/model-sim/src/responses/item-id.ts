/**
 * Ids of output items. They say which response made the item and which reasoning item stood before it there, so that the pairing
 * rules can be checked on any request, also after a restart: `<prefix>_<32 hex: response><4 hex: index><4 hex: reasoning index, ffff = none>`.
 */
import { randomBytes } from 'node:crypto'

export interface IssuedItem {
  readonly response: string
  readonly index: number
  /** Id of the reasoning item without which this one is refused. */
  readonly requires: string | undefined
}

const NO_REASONING = 0xffff
const PATTERN = /^(?:rs|fc|msg)_([0-9a-f]{32})([0-9a-f]{4})([0-9a-f]{4})$/

/** Fresh identity of one response: 32 hex digits. */
export function newResponseKey(): string {
  return randomBytes(16).toString('hex')
}

export function reasoningId(response: string, index: number): string {
  return `rs_${response}${hex(index)}${hex(NO_REASONING)}`
}

/** Id of a call or a message; `reasoningIndex` is the place of the reasoning item that led to it. */
export function followerId(prefix: 'fc' | 'msg', place: { readonly response: string; readonly index: number; readonly reasoningIndex: number | undefined }): string {
  return `${prefix}_${place.response}${hex(place.index)}${hex(place.reasoningIndex ?? NO_REASONING)}`
}

/** What the id says when this program issued it; undefined for foreign ids. */
export function readItemId(id: string): IssuedItem | undefined {
  const match = PATTERN.exec(id)
  if (match === null) return undefined
  const [, response = '', index = '', reasoning = ''] = match
  const reasoningIndex = Number.parseInt(reasoning, 16)
  return { response, index: Number.parseInt(index, 16), requires: reasoningIndex === NO_REASONING ? undefined : reasoningId(response, reasoningIndex) }
}

/** Id by which a call and its output find each other; the first 20 digits are those of the response. */
export function issuedCallId(response: string, index: number): string {
  return `call_${response.slice(0, 20)}${hex(index)}`
}

/** The digits that all calls of one answer share; undefined for foreign ids. */
export function readCallId(callId: string): string | undefined {
  return /^call_([0-9a-f]{20})[0-9a-f]{4}$/.exec(callId)?.[1]
}

function hex(number: number): string {
  return number.toString(16).padStart(4, '0')
}
