import { ERROR_STATUS, type ImportEvent, type ImportProgress, type ImportResult } from '@buildscale/protocol'
import { networkError, parseJson, SdkError } from './sdk-error.ts'
import { sseFrames } from './sse-frames.ts'

/** The server sends a comment every 15 s. */
const IDLE_MS = 60_000

/** The result at the end of the event stream of an import. Throws the error that the stream ends with, and `unavailable` when it breaks off. `giveUp` ends the connection. */
export async function importedBy(
  response: Response,
  { onProgress, signal, giveUp }: { readonly onProgress: (progress: ImportProgress) => void; readonly signal: AbortSignal | undefined; readonly giveUp: () => void },
): Promise<ImportResult> {
  if (response.body === null) throw new SdkError('invalid_response', 'The import has no answer', { status: response.status })
  try {
    for await (const { data } of sseFrames(response.body, { idleMs: IDLE_MS, onIdle: giveUp })) {
      const event = parseJson(data)
      if (!isImportEvent(event)) continue // of a newer server
      if (event.type === 'done') return event.data
      if (event.type === 'progress') onProgress(event.data)
      else throw new SdkError(event.data.code, event.data.message, { status: ERROR_STATUS[event.data.code], details: event.data.details, requestId: event.data.request_id })
    }
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason
    throw error
  }
  throw networkError(response.url, new Error('the connection ended before the import did'))
}

/** The type decides; the fields are the server's word. */
function isImportEvent(value: unknown): value is ImportEvent {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false
  return value.type === 'progress' || value.type === 'done' || value.type === 'error'
}
