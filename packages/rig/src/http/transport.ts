import { CompletionError } from '../errors.ts'

/** JSON, in pieces of text or of UTF-8: most of a long conversation has been encoded for the request before, and need not be copied for this one. */
export type RequestBody = readonly (string | Uint8Array)[]

/** One HTTP exchange, as far as providers need it. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly signal: AbortSignal
}

/** Takes the bytes of an answer; a promise asks to wait with the next ones. What it throws ends the exchange. */
export type OnChunk = (chunk: Uint8Array) => Promise<void> | undefined

export interface HttpResponse {
  readonly status: number
  /** Whether the last byte has come, even if it was not handed over yet. */
  readonly isComplete: boolean
  header(name: string): string | undefined
  headers(): Headers
  /** Reads to the end, once. Rejects when the bytes break off, with what `onChunk` throws, and when the signal is aborted. */
  read(onChunk: OnChunk): Promise<void>
  /** Gives up the connection when it has not ended by itself; a no-op afterwards. */
  discard(): void
}

/** The way to the network, with its own limit for silence before an answer and between its bytes. `send` throws `CompletionError` of kind `http`, `timeout`, `url` or `aborted`; a status of 400 is an answer. */
export interface Transport {
  send(request: HttpRequest): Promise<HttpResponse>
}

/** The longest answer that is taken in one piece, in bytes: what never ends must not take the process with it. */
const MAX_ANSWER = 256 * 1024 * 1024
/** How much of the body of a refusal is read, in bytes, and how long, in milliseconds: the status has said the most of it. */
const MAX_REFUSAL = 1024 * 1024
const REFUSAL_TIME_MS = 10_000

/**
 * The whole answer as text. Throws `CompletionError`, of kind `http` when the bytes break off: such an exchange may be repeated; of kind
 * `response` for more than 256 MiB.
 */
export async function readText(response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    await response.read((chunk) => {
      size += chunk.length
      if (size > MAX_ANSWER) throw new CompletionError('response', `The answer exceeds ${MAX_ANSWER} bytes`)
      chunks.push(chunk)
      return undefined
    })
  } catch (error) {
    throw error instanceof CompletionError ? error : new CompletionError('http', 'The connection broke off in the middle of the answer', { cause: error })
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * What an answer that is not a success says, as far as it comes: the first mebibyte, within `timeMs`. The status counts whatever becomes
 * of the rest. Throws `CompletionError` of kind `aborted`, and no other.
 */
export async function readRefusal(response: HttpResponse, { timeMs = REFUSAL_TIME_MS }: { readonly timeMs?: number } = {}): Promise<string> {
  const chunks: Uint8Array[] = []
  let room = MAX_REFUSAL
  const timer = setTimeout(() => response.discard(), timeMs)
  try {
    await response.read((chunk) => {
      chunks.push(chunk.subarray(0, room))
      room = Math.max(0, room - chunk.length)
      if (room === 0) response.discard()
      return undefined
    })
  } catch (error) {
    // Only words are missing; that the caller has left is another matter.
    if (error instanceof CompletionError && error.kind === 'aborted') throw error
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** An aborted exchange, whatever the platform called it. */
export function aborted(signal: AbortSignal): CompletionError {
  return new CompletionError('aborted', typeof signal.reason === 'string' ? signal.reason : 'The call was aborted', { cause: signal.reason })
}
