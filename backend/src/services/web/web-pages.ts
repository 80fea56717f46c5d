/** A page of the web as text: fetched carefully, decoded, made readable. */
import { AppError } from '../../errors.ts'
import { decodeText, markOf } from './charset.ts'
import type { PageReader } from './page-reader.ts'
import type { PageLink } from './page-text.ts'
import type { WebAnswer, WebClient } from './web-client.ts'
import { shown } from './web-url.ts'

export interface WebPageRequest {
  readonly url: string
  readonly format: 'markdown' | 'text' | 'html'
  readonly withLinks: boolean
  readonly maxBytes: number
}

export interface WebPage {
  /** After redirects. */
  readonly url: string
  readonly status: number
  readonly statusText: string
  /** Without parameters. */
  readonly contentType: string
  readonly title: string | null
  readonly content: string
  readonly links: readonly PageLink[]
  /** The server had more than `maxBytes`. */
  readonly isCut: boolean
}

export interface WebPagesDeps {
  readonly client: Pick<WebClient, 'get'>
  readonly reader: Pick<PageReader, 'read'>
}

const ACCEPT = 'text/markdown, text/html, application/xhtml+xml, text/plain, application/json, application/xml;q=0.9, */*;q=0.5'
const HTML = /^(?:text\/html|application\/xhtml\+xml)$/
const TEXT = /^text\/|[/+](?:json|xml|yaml|x-yaml|toml|javascript|x-javascript|ecmascript|x-sh|sql|graphql|x-ndjson|rtf)$/

export class WebPages {
  readonly #deps: WebPagesDeps

  constructor(deps: WebPagesDeps) {
    this.#deps = deps
  }

  /** Throws `AppError` in words for a model; rejects with the signal's reason when aborted. */
  async read({ url: asked, format, withLinks, maxBytes }: WebPageRequest, signal: AbortSignal): Promise<WebPage> {
    const answer = await this.#deps.client.get({ url: asked, accept: ACCEPT, maxBytes, signal })
    const header = answer.headers['content-type'] ?? ''
    const contentType = header.split(';', 1)[0]?.trim().toLowerCase() || guessedType(answer.body)
    checkType(answer, contentType)
    const text = decodeText(answer.body, header)
    const { url, status, statusText, isCut } = answer
    const facts = { url: url.href, status, statusText, contentType, isCut }
    if (!HTML.test(contentType) || format === 'html') return { ...facts, title: null, content: text, links: [] }
    return { ...facts, ...(await this.#deps.reader.read({ html: text, url: url.href, format, withLinks }, signal)) }
  }
}

const SNIFF_BYTES = 512

/** Wide letters hold NULs, which their mark announces. */
function isBinary(start: Buffer): boolean {
  return start.includes(0) && markOf(start) === undefined
}

function guessedType(body: Buffer): string {
  const start = body.subarray(0, SNIFF_BYTES)
  if (isBinary(start)) return 'application/octet-stream'
  return /^\s*<(?:!doctype html|html)/i.test(start.toString('latin1')) ? 'text/html' : 'text/plain'
}

function checkType({ url, headers, body, isCut }: WebAnswer, contentType: string): void {
  if (HTML.test(contentType) || (TEXT.test(contentType) && !isBinary(body.subarray(0, SNIFF_BYTES)))) return
  const length = Number(headers['content-length'])
  const size = Number.isSafeInteger(length) ? `${length.toLocaleString('en')} bytes` : `${isCut ? 'more than ' : ''}${body.length.toLocaleString('en')} bytes`
  const advice = contentType === 'application/pdf' ? 'PDF files cannot be read from the web: look for the same text as a page.' : 'Only text can be read: look for a page about it.'
  throw new AppError('unsupported_media_type', `${shown(url.href)} is no text but ${contentType} (${size}). ${advice}`)
}
