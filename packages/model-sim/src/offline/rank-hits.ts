/** Which of many hits is worth reading first. */
import type { SearchHit } from './tool-result.ts'

const KEYWORDS = 'function\\*?|class|interface|type|enum|const|let|var|def|fn|func|struct|trait|impl|module|namespace|record|object|mod'

/** A regular expression, in the syntax that JavaScript and ripgrep share, for lines that define `name`. */
export function definitionPattern(name: string): string {
  return `\\b(?:${KEYWORDS})\\s+${escapePattern(name)}${/\w$/.test(name) ? '\\b' : ''}`
}

/** A regular expression for `words` as they stand; a single name is matched as a whole word. */
export function wordsPattern(words: string): string {
  return /^\w+$/.test(words) ? `\\b${words}\\b` : escapePattern(words)
}

/** Best first, one hit per file, `limit` at most. */
export function bestHits(hits: readonly SearchHit[], { name, limit }: { readonly name: string; readonly limit: number }): readonly SearchHit[] {
  const definition = new RegExp(definitionPattern(name))
  const score = (hit: SearchHit): number =>
    (definition.test(hit.text) ? 100 : 0) +
    (hit.text.includes(`${name}(`) && hit.text.endsWith('{') ? 40 : 0) +
    (/\b(?:export|public|pub)\b/.test(hit.text) ? 20 : 0) -
    (/(?:^|\/)(?:tests?|__tests__|fixtures|node_modules|dist|vendor)\/|\.(?:test|spec)\.|_test\./.test(hit.path) ? 50 : 0) -
    (/\.(?:md|txt|json|lock|yaml|yml)$/.test(hit.path) ? 30 : 0) -
    hit.path.split('/').length
  const sorted = hits.map((hit) => ({ hit, score: score(hit) })).sort((a, b) => b.score - a.score || a.hit.path.localeCompare(b.hit.path) || a.hit.line - b.hit.line)
  const perFile = new Map<string, SearchHit>()
  for (const { hit } of sorted) if (!perFile.has(hit.path)) perFile.set(hit.path, hit)
  return [...perFile.values()].slice(0, limit)
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
