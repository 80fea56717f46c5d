/** An HTML page as a reader wants it. Runs in a thread of its own: nothing in a page can hold the server up. */
import { Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'
import TurndownService from 'turndown'

export interface PageJob {
  readonly html: string
  /** Where it came from: what relative links mean. */
  readonly url: string
  readonly format: 'markdown' | 'text'
  readonly withLinks: boolean
}

export interface PageLink {
  readonly text: string
  readonly url: string
}

export interface PageText {
  readonly title: string | null
  readonly content: string
  readonly links: readonly PageLink[]
}

const MOST_LINKS = 200
const LONGEST_LINK = 1_000
const LONGEST_TITLE = 500
const NOISE = 'script, style, noscript, template, svg, canvas, iframe, object, embed, form, dialog, nav, [hidden], [aria-hidden="true"]'
/** Of a page in which the article is less than this, the article was guessed wrongly. */
const ARTICLE_SHARE = 0.3

export function pageText({ html: source, url, format, withLinks }: PageJob): PageText {
  const html = wholeDocument(source)
  const { document } = parseHTML(html)
  const title = document.querySelector('title')?.textContent?.trim() ?? ''
  makeAbsolute(document, url)
  const links = withLinks ? linksOf(document) : []
  const article = articleOf(html, url)
  const body = bodyOf(document)
  const isArticle = article !== undefined && article.length >= body.text.length * ARTICLE_SHARE
  const content = isArticle ? article.html : body.html
  const root = parseHTML(`<!doctype html><html><body>${content}</body></html>`).document.body
  return { title: (title || (article?.title ?? '')).slice(0, LONGEST_TITLE).toWellFormed() || null, content: format === 'markdown' ? markdown(root) : plainText(root), links }
}

/** The parser leaves out the body that a page need not write (https://html.spec.whatwg.org/#optional-tags). */
function wholeDocument(html: string): string {
  if (/<body[\s>]/i.test(html)) return html
  const head = /<head[\s>][\s\S]*?<\/head\s*>/i.exec(html)?.[0] ?? ''
  const rest = html.replace(head, '').replaceAll(/<!doctype[^>]*>|<\/?html[^>]*>/gi, '')
  return `<!doctype html><html>${head}<body>${rest}</body></html>`
}

type Page = ReturnType<typeof parseHTML>['document']
type Element = Page['body']

function articleOf(html: string, url: string) {
  const { document } = parseHTML(html)
  makeAbsolute(document, url)
  const found = new Readability(document, { maxElemsToParse: 100_000, charThreshold: 200 }).parse()
  const text = found?.textContent?.trim() ?? ''
  return found?.content && text !== '' ? { html: found.content, length: text.length, title: found.title ?? null } : undefined
}

function bodyOf(document: Page): { readonly html: string; readonly text: string } {
  const { body } = document
  for (const element of body.querySelectorAll(NOISE)) element.remove()
  return { html: body.innerHTML, text: body.textContent?.replaceAll(/\s+/g, ' ') ?? '' }
}

/** Links and pictures say where they lead, seen from anywhere; what is no address of the web leads nowhere. */
function makeAbsolute(document: Page, pageUrl: string): void {
  const base = URL.parse(document.querySelector('base[href]')?.getAttribute('href') ?? '', pageUrl)?.href ?? pageUrl
  for (const [selector, attribute] of [['a[href]', 'href'], ['img[src]', 'src']] as const) {
    for (const element of document.querySelectorAll(selector)) {
      const target = URL.parse(element.getAttribute(attribute) ?? '', base)
      if (target !== null && ['http:', 'https:', 'mailto:'].includes(target.protocol)) element.setAttribute(attribute, target.href)
      else element.removeAttribute(attribute)
    }
  }
}

function linksOf(document: Page): PageLink[] {
  const links = new Map<string, PageLink>()
  for (const element of document.querySelectorAll('a[href]')) {
    const url = element.getAttribute('href') ?? ''
    const text = element.textContent?.replaceAll(/\s+/g, ' ').trim().slice(0, 200).toWellFormed() ?? ''
    if (url.startsWith('http') && url.length <= LONGEST_LINK && !links.has(url)) links.set(url, { text, url })
    if (links.size === MOST_LINKS) break
  }
  return [...links.values()]
}

function markdown(root: Element): string {
  const service = new TurndownService({ headingStyle: 'atx', codeBlockStyle: 'fenced', bulletListMarker: '-', emDelimiter: '*', hr: '---' })
  service.addRule('cell', { filter: ['th', 'td'], replacement: (content) => ` ${content.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|').trim()} |` })
  service.addRule('row', { filter: 'tr', replacement: (content, node) => `\n|${content}${isFirstRow(node) ? `\n|${' --- |'.repeat(node.childNodes.length)}` : ''}` })
  service.addRule('table', { filter: 'table', replacement: (content) => `\n\n${content.trim().replaceAll(/\n{2,}/g, '\n')}\n\n` })
  for (const row of root.querySelectorAll('tr')) for (const child of [...row.childNodes]) if (child.nodeType !== 1) child.remove()
  return tidy(service.turndown(root))
}

function isFirstRow(row: { readonly parentNode: unknown }): boolean {
  const table = closestTable(row)
  return table?.querySelector('tr') === row
}

function closestTable(node: unknown): Element | undefined {
  if (typeof node !== 'object' || node === null || !('closest' in node) || typeof node.closest !== 'function') return undefined
  const table: Element | null = node.closest('table')
  return table ?? undefined
}

const BLOCKS = 'p, div, section, article, header, footer, main, aside, h1, h2, h3, h4, h5, h6, li, tr, pre, blockquote, dt, dd, figcaption, hr, table, ul, ol'

function plainText(root: Element): string {
  for (const element of root.querySelectorAll('br')) element.replaceWith('\n')
  for (const element of root.querySelectorAll(BLOCKS)) element.append('\n')
  for (const element of root.querySelectorAll('th, td')) element.append('\t')
  return tidy(root.textContent ?? '')
}

function tidy(text: string): string {
  return text.replaceAll(/[ \t]+$/gm, '').replaceAll(/\n{3,}/g, '\n\n').trim()
}
