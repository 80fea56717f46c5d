/**
 * One GET to one address. The name is looked up once, in the socket's own lookup, and that very answer is checked and connected to: there is no second
 * look-up that could say something else.
 */
import dns from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import type { LookupFunction } from 'node:net'
import zlib from 'node:zlib'
import type { Transform } from 'node:stream'
import { AppError } from '../../errors.ts'
import { literalAddress, mayConnect, type WebAllowList } from './address-guard.ts'
import { notPublic, shown } from './web-url.ts'

export type ResolveHost = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>

export interface GuardedRequest {
  readonly url: URL
  readonly accept: string
  /** Bytes of the body, unpacked, at most; the rest is not read. */
  readonly maxBytes: number
  readonly signal: AbortSignal
}

export interface GuardedResponse {
  readonly status: number
  readonly statusText: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
  /** There was more than `maxBytes`. */
  readonly isCut: boolean
}

export interface GuardOptions {
  readonly allowed: WebAllowList
  readonly resolve: ResolveHost
  readonly connectMs: number
  readonly headersMs: number
}

const USER_AGENT = 'Mozilla/5.0 (compatible; BuildScale)'
const MAX_HEADER_BYTES = 32 * 1024
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export const systemResolve: ResolveHost = (host) => dns.promises.lookup(host, { all: true, verbatim: true })

export function isRedirect({ status, headers }: Pick<GuardedResponse, 'status' | 'headers'>): boolean {
  return REDIRECTS.has(status) && headers.location !== undefined
}

/** Rejects with the signal's reason when aborted, and with `AppError` for all else: the words tell nothing of what is behind a refused address. */
export async function guardedGet(request: GuardedRequest, options: GuardOptions): Promise<GuardedResponse> {
  const { url, signal } = request
  checkLiteral(url, options)
  try {
    const response = await send(request, options)
    if (isRedirect({ status: response.statusCode ?? 0, headers: response.headers })) {
      response.destroy()
      return answer(response, { body: Buffer.alloc(0), isCut: false })
    }
    return answer(response, await readBody(response, request))
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof AppError ? error : unreachable(url, error)
  }
}

function answer(response: http.IncomingMessage, content: Pick<GuardedResponse, 'body' | 'isCut'>): GuardedResponse {
  return { status: response.statusCode ?? 0, statusText: response.statusMessage ?? '', headers: response.headers, ...content }
}

/** A socket to an address asks for no look-up. */
function checkLiteral(url: URL, { allowed }: GuardOptions): void {
  const address = literalAddress(url.hostname)
  if (address !== undefined && !mayConnect({ host: address, address, port: portOf(url) }, allowed)) throw notPublic(url)
}

function send({ url, accept, signal }: GuardedRequest, options: GuardOptions): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>()
  const secure = url.protocol === 'https:'
  const settings: https.RequestOptions = {
    method: 'GET',
    signal,
    // An agent of its own: no kept connection, no proxy of the environment.
    agent: secure ? new https.Agent({ keepAlive: false }) : new http.Agent({ keepAlive: false }),
    lookup: guardedLookup(url, options),
    maxHeaderSize: MAX_HEADER_BYTES,
    headers: { 'user-agent': USER_AGENT, accept, 'accept-language': 'en,*;q=0.5', 'accept-encoding': 'gzip, deflate, br', connection: 'close' },
  }
  const request = (secure ? https : http).request(url, settings)
  const connect = setTimeout(() => request.destroy(timeout(url, 'connect')), options.connectMs)
  const headers = setTimeout(() => request.destroy(timeout(url, 'answer')), options.headersMs)
  request.on('socket', (socket) => socket.once(secure ? 'secureConnect' : 'connect', () => {
    clearTimeout(connect)
    const { remoteAddress = '' } = socket
    if (!mayConnect({ host: url.hostname, address: remoteAddress, port: portOf(url) }, options.allowed)) request.destroy(notPublic(url))
  }))
  request.on('response', resolve)
  request.on('error', reject)
  request.end()
  return promise.finally(() => {
    clearTimeout(connect)
    clearTimeout(headers)
  })
}

/** Every address that a name has must be allowed: one that is not is a trick, not a choice. */
function guardedLookup(url: URL, { allowed, resolve }: GuardOptions): LookupFunction {
  return (host, { all }, callback) => {
    const found = resolve(host).then((addresses) => {
      const [first] = addresses
      if (first === undefined) throw new Error('ENOTFOUND')
      if (!addresses.every(({ address }) => mayConnect({ host, address, port: portOf(url) }, allowed))) throw notPublic(url)
      return { addresses, first }
    })
    found.then(
      ({ addresses, first }) => (all === true ? callback(null, [...addresses]) : callback(null, first.address, first.family)),
      (error: unknown) => callback(error instanceof Error ? error : new Error('the name could not be looked up'), '', 0),
    )
  }
}

/** Reads until the limit, unpacked as it comes: neither the packed nor the unpacked bytes are ever more than that in memory. */
async function readBody(response: http.IncomingMessage, { url, maxBytes }: GuardedRequest): Promise<Pick<GuardedResponse, 'body' | 'isCut'>> {
  const unpacked = unpack(response, url)
  const pieces: Buffer[] = []
  let size = 0
  try {
    for await (const piece of unpacked) {
      if (!Buffer.isBuffer(piece)) continue
      pieces.push(piece)
      size += piece.length
      if (size > maxBytes) break
    }
  } finally {
    response.destroy()
  }
  return { body: Buffer.concat(pieces).subarray(0, maxBytes), isCut: size > maxBytes }
}

function unpack(response: http.IncomingMessage, url: URL): AsyncIterable<unknown> {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  const unpacker = encoding === 'identity' || encoding === '' ? undefined : unpackerOf(encoding, url)
  if (unpacker === undefined) return response
  response.on('error', (error) => unpacker.destroy(error))
  return response.pipe(unpacker)
}

function unpackerOf(encoding: string, url: URL): Transform {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip()
    case 'deflate':
      return zlib.createInflate()
    case 'br':
      return zlib.createBrotliDecompress()
    default:
      throw new AppError('unsupported_media_type', `${shown(url.host)} packed its answer in a way (${shown(encoding)}) that was not asked for, so it cannot be read.`)
  }
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port)
  return url.protocol === 'https:' ? 443 : 80
}

function timeout(url: URL, until: 'connect' | 'answer'): AppError {
  return new AppError('unavailable', `${shown(url.host)} did not ${until === 'connect' ? 'take the connection' : 'answer'} in time. Try again later, or use another page.`)
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOTFOUND', 'there is no such host'],
  ['EAI_AGAIN', 'its name could not be looked up just now'],
  ['ECONNREFUSED', 'it refused the connection'],
  ['ECONNRESET', 'it broke the connection off'],
  ['HPE_HEADER_OVERFLOW', 'its answer has too large a header'],
])

function unreachable(url: URL, error: unknown): AppError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : error instanceof Error ? error.message : ''
  const reason = REASONS.get(code) ?? (/CERT|SSL|TLS|ALTNAME/.test(code) ? 'its certificate is not valid' : /^Z_|^ERR__ERROR|BROTLI/.test(code) ? 'its answer is packed wrongly' : 'the connection failed')
  return new AppError('unavailable', `${shown(url.host)} could not be read: ${reason}. Check the address, or use another page.`, { cause: error })
}
