/** Where links lead. A link is kept as it was written; where it leads is decided when somebody asks, because files come, go and move. */
import type { LinkKind } from './markdown-links.ts'
import { comparable } from '../words/words.ts'

export interface LinkPlace {
  readonly kind: LinkKind
  /** As written. */
  readonly target: string
  /** The file that it stands in. */
  readonly source: string
}

/** By what a link can be found from its target: the path that it names, or (wiki links) a name that may be anywhere. */
export interface LinkKeys {
  readonly path: string | null
  readonly name: string | null
}

/** What exists, as far as some links could lead there. */
export interface KnownTargets {
  readonly has: (path: string) => boolean
  /** Paths of the files that go by a name (`nameKey`). */
  readonly named: (key: string) => readonly string[]
}

const LONGEST_PATH_BYTES = 1_024
const EXTENSION = '.md'

/** What a file is called in wiki links: its name without `.md`, upper and lower case alike. */
export function nameKey(path: string): string {
  const name = comparable(path).slice(path.lastIndexOf('/') + 1).toLowerCase()
  return name.endsWith(EXTENSION) ? name.slice(0, -EXTENSION.length) : name
}

export function linkKeys(link: LinkPlace): LinkKeys {
  const name = linkName(link)
  if (link.kind === 'url' || name === undefined) return { path: null, name: null }
  if (name === '') return { path: link.source, name: null }
  if (link.kind === 'link' || link.kind === 'image') return { path: absolutePath(name, link.source) ?? null, name: null }
  const key = nameKey(name)
  return { path: null, name: Buffer.byteLength(key) > LONGEST_PATH_BYTES ? null : key }
}

/** The paths that a link means literally, best first. */
export function literalPaths(link: LinkPlace): readonly string[] {
  const name = linkName(link)
  if (link.kind === 'url' || name === undefined) return []
  if (name === '') return [link.source]
  const isWiki = link.kind === 'wiki' || link.kind === 'embed'
  const places = isWiki ? [absolutePath(name, link.source), absolutePath(`/${name}`, link.source)] : [absolutePath(name, link.source)]
  return [...new Set(places.filter((path) => path !== undefined).flatMap((path) => [path, `${path}${EXTENSION}`]))]
}

/** The path of the file (or, by its path, the folder) that a link leads to; null when there is none now. */
export function resolveLink(link: LinkPlace, known: KnownTargets): string | null {
  const literal = literalPaths(link).find((path) => known.has(path))
  if (literal !== undefined) return literal
  const { name: key } = linkKeys(link)
  if (key === null) return null
  const name = linkName(link) ?? ''
  const wanted = `/${comparable(name).replace(/^(?:\.{0,2}\/)+/, '').toLowerCase()}`
  const fitting = known.named(key).filter((path) => {
    const lower = comparable(path).toLowerCase()
    return lower.endsWith(wanted) || lower.endsWith(`${wanted}${EXTENSION}`)
  })
  return nearest(fitting, link.source)
}

/** The path part of a target, decoded: without fragment and, in Markdown, without query. Undefined for what cannot be a path. */
function linkName({ kind, target }: LinkPlace): string | undefined {
  const isWiki = kind === 'wiki' || kind === 'embed'
  const [path = ''] = target.split(isWiki ? '#' : /[#?]/)
  const name = comparable(isWiki ? path.trim() : decoded(path))
  return /[\p{Cc}\\]/u.test(name) ? undefined : name
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path // a lone `%`: somebody wrote the name as it is
  }
}

/** Undefined when it leads out of the workspace, or is longer than a path can be. */
function absolutePath(name: string, source: string): string | undefined {
  const from = name.startsWith('/') ? [] : source.split('/').slice(1, -1)
  const segments = [...from]
  for (const segment of name.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment !== '..') segments.push(segment)
    else if (segments.pop() === undefined) return undefined
  }
  const path = `/${segments.join('/')}`
  return Buffer.byteLength(path) > LONGEST_PATH_BYTES ? undefined : path
}

/** Fewest folders to climb and descend; then the shortest path, then the first one, so that the answer is always the same. */
function nearest(paths: readonly string[], source: string): string | null {
  const from = source.split('/').slice(1, -1)
  const ranked = paths.map((path) => ({ path, steps: stepsBetween(from, path.split('/').slice(1, -1)) }))
  ranked.sort((one, other) => one.steps - other.steps || one.path.length - other.path.length || (one.path < other.path ? -1 : 1))
  return ranked[0]?.path ?? null
}

function stepsBetween(from: readonly string[], to: readonly string[]): number {
  const shared = from.findIndex((name, index) => to[index] !== name)
  const common = shared < 0 ? from.length : shared
  return from.length - common + to.length - common
}
