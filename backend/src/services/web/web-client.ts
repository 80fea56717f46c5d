/** GET over the public web, through every redirect as carefully as the first time. */
import { AppError } from '../../errors.ts'
import type { WebAllowList } from './address-guard.ts'
import { type GuardedResponse, guardedGet, isRedirect, type ResolveHost, systemResolve } from './guarded-request.ts'
import { parseWebUrl, shown } from './web-url.ts'

export interface WebClientDeps {
  readonly allowed: WebAllowList
  readonly resolve?: ResolveHost
  /** Milliseconds; defaults below. */
  readonly times?: Partial<typeof TIMES>
}

export interface WebRequest {
  readonly url: string
  readonly accept: string
  readonly maxBytes: number
  readonly signal: AbortSignal
}

export interface WebAnswer extends GuardedResponse {
  /** Where the answer came from, after redirects. */
  readonly url: URL
}

const TIMES = { connectMs: 10_000, headersMs: 20_000, totalMs: 45_000 }
const MOST_REDIRECTS = 5

export class WebClient {
  readonly #deps: WebClientDeps

  constructor(deps: WebClientDeps) {
    this.#deps = deps
  }

  /** Rejects with `AppError` in words for a model, or with the reason of the signal. */
  async get({ url: text, accept, maxBytes, signal }: WebRequest): Promise<WebAnswer> {
    const { allowed, resolve = systemResolve, times } = this.#deps
    const { totalMs, ...phases } = { ...TIMES, ...times }
    const time = AbortSignal.timeout(totalMs)
    let url = parseWebUrl(text, allowed)
    try {
      for (let redirects = 0; ; redirects += 1) {
        const response = await guardedGet({ url, accept, maxBytes, signal: AbortSignal.any([signal, time]) }, { allowed, resolve, ...phases })
        if (!isRedirect(response)) return { ...response, url }
        if (redirects === MOST_REDIRECTS) throw new AppError('unavailable', `${shown(text)} redirects more than ${MOST_REDIRECTS} times. Use another address for the page.`)
        url = redirectTarget(url, response.headers.location ?? '', allowed)
      }
    } catch (error) {
      signal.throwIfAborted()
      if (time.aborted) throw new AppError('unavailable', `${shown(url.host)} took longer than ${totalMs / 1000} seconds. Try again later, or use another page.`)
      throw error
    }
  }
}

function redirectTarget(from: URL, location: string, allowed: WebAllowList): URL {
  const target = URL.parse(location, from.href)
  if (target === null) throw new AppError('unavailable', `${shown(from.host)} redirects to something that is no address.`)
  const to = parseWebUrl(target.href, allowed)
  if (from.protocol === 'https:' && to.protocol === 'http:') throw new AppError('unavailable', `${shown(from.host)} redirects from https to plain http, which is refused. Use another address for the page.`)
  return to
}
