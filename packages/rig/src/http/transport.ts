import { CompletionError } from '../errors.ts'

/** One HTTP exchange, as far as providers need it. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** JSON as bytes: most of a long conversation has been encoded for the request before. */
  readonly body?: Buffer
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

/** The whole answer as text. Throws `CompletionError`, of kind `http` when the bytes break off: such an exchange may be repeated. */
export async function readText(response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = []
  try {
    await response.read((chunk) => {
      chunks.push(chunk)
      return undefined
    })
  } catch (error) {
    throw error instanceof CompletionError ? error : new CompletionError('http', 'The connection broke off in the middle of the answer', { cause: error })
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** An aborted exchange, whatever the platform called it. */
export function aborted(signal: AbortSignal): CompletionError {
  return new CompletionError('aborted', typeof signal.reason === 'string' ? signal.reason : 'The call was aborted', { cause: signal.reason })
}
