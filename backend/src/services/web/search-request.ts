/** One request to a search service, and what its answers other than results mean. */
import { z } from 'zod'
import { AppError } from '../../errors.ts'

export interface SearchCall<Schema extends z.ZodType> {
  /** The name of the service, for messages. */
  readonly service: string
  /** What the operator has to look at when the service refuses us. */
  readonly setting: string
  readonly url: URL
  readonly init: { readonly method: 'GET' | 'POST'; readonly headers: Readonly<Record<string, string>>; readonly body?: string }
  readonly schema: Schema
  readonly signal: AbortSignal
}

const TIME_LIMIT_MS = 20_000
const MAX_BYTES = 4 * 1024 * 1024

export async function askSearch<Schema extends z.ZodType>({ service, setting, url, init, schema, signal }: SearchCall<Schema>): Promise<z.output<Schema>> {
  const time = AbortSignal.timeout(TIME_LIMIT_MS)
  try {
    // A redirect would carry the key somewhere else.
    const answer = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.any([signal, time]) })
    checkStatus(answer, { service, setting })
    const parsed = schema.safeParse(JSON.parse(await limitedText(answer)))
    if (parsed.success) return parsed.data
    throw new AppError('unavailable', `${service} answered in a form that is not understood, so there are no results. Ask the operator to check ${setting}.`)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof AppError) throw error
    if (time.aborted) throw new AppError('unavailable', `${service} took longer than ${TIME_LIMIT_MS / 1000} seconds. Try again later.`)
    if (error instanceof SyntaxError) throw new AppError('unavailable', `${service} answered with something that is not JSON, so there are no results. Ask the operator to check ${setting}.`)
    // What `fetch` says of it may hold the address of an inner service: it stays in the log.
    throw new AppError('unavailable', `${service} could not be reached. Try again later; if it stays so, ask the operator to check ${setting}.`, { cause: error })
  }
}

function checkStatus(answer: Response, { service, setting }: { readonly service: string; readonly setting: string }): void {
  const { status } = answer
  if (answer.ok) return
  void answer.body?.cancel()
  if (status === 429) throw new AppError('rate_limited', `${service} takes no more searches just now. ${waitAdvice(answer.headers.get('retry-after'))}`)
  if (status === 401 || status === 403) throw new AppError('unavailable', `${service} refuses this server (${status}). Ask the operator to check ${setting}.`)
  throw new AppError('unavailable', `${service} failed (${status}). Try again later, or with a simpler query.`)
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
function waitAdvice(header: string | null): string {
  const seconds = header === null ? NaN : /^\d+$/.test(header) ? Number(header) : Math.ceil((Date.parse(header) - Date.now()) / 1000)
  return seconds > 0 ? `Try again in ${seconds} seconds.` : 'Try again later.'
}

async function limitedText(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of answer.body ?? []) {
    pieces.push(piece)
    size += piece.length
    if (size > MAX_BYTES) throw new SyntaxError('the answer is too large to be JSON of a search')
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** Tags and entities, with which services mark what matched, are nothing for a reader. */
export function plainSnippet(text: string): string {
  const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'", nbsp: ' ' }
  return text
    .replaceAll(/<[^<>]*>/g, '')
    .replaceAll(/&(amp|lt|gt|quot|nbsp|#39|#x27);/gi, (whole, name: string) => entities[name.toLowerCase()] ?? whole)
    .replaceAll(/\s+/g, ' ')
    .trim()
}

/** A text that a service may leave out or set to null. */
export const optional = z.string().nullish()
