import type { Notebook } from './notebook.ts'
import { bestHits, definitionPattern, wordsPattern } from './rank-hits.ts'
import { NO_RESULT, type Work } from './step.ts'
import { asReadFile, asSearchHits, type SearchHit, type ToolResult } from './tool-result.ts'

const HIT_LIMIT = 50
const FILES_READ = 3
const LINES_BEFORE = 12
const LINES_READ = 60
const SHOWN_HITS = 20

/** Looks for lines that define `name`, else for the name at all, and reads around the best ones. */
export function* findDefinition(name: string, notebook: Notebook): Work {
  notebook.topic = { type: 'definition', words: name }
  const [exact = NO_RESULT] = yield { thought: `I look for where ${name} is defined.`, calls: [grep(definitionPattern(name), { case_sensitive: true })] }
  let hits = hitsOf(exact)
  if (hits.length === 0) {
    const [loose = NO_RESULT] = yield { thought: `No line looks like a definition of ${name}; I look for the name itself.`, calls: [grep(wordsPattern(name), {})] }
    if (loose.type === 'failed') return notebook.say(`I could not search for ${name}: ${loose.reason}`)
    hits = hitsOf(loose)
  }
  if (hits.length === 0) return notebook.say(`I found no line with ${name} in the workspace.`)
  notebook.hits.push(...hits)
  yield* readAround(bestHits(hits, { name, limit: FILES_READ }), { name, notebook })
}

function* readAround(best: readonly SearchHit[], { name, notebook }: { readonly name: string; readonly notebook: Notebook }): Work {
  const asked = best.map((hit) => ({ path: hit.path, offset: Math.max(0, hit.line - 1 - LINES_BEFORE) }))
  const results = yield { thought: `I read ${best.map((hit) => hit.path).join(' and ')} around what I found.`, calls: asked.map((place) => ({ tool: 'read', arguments: { ...place, limit: LINES_READ } })) }
  asked.forEach((place, index) => {
    const result = results[index] ?? NO_RESULT
    if (result.type === 'ok') notebook.reads.push(asReadFile(result.value, place))
    else notebook.say(`I could not read ${place.path}: ${result.reason}`)
  })
  const [first] = best
  if (first === undefined) return
  const isDefinition = new RegExp(definitionPattern(name)).test(first.text)
  const others = best.slice(1).map((hit) => `${hit.path}:${hit.line}`)
  const also = others.length === 0 ? '' : ` Also worth a look: ${others.join(', ')}.`
  notebook.say(`${name} ${isDefinition ? 'is defined' : 'appears'} in ${first.path}, line ${first.line}: \`${first.text}\`.${also}`)
}

export function* search({ words, folder }: { readonly words: string; readonly folder: string | undefined }, notebook: Notebook): Work {
  notebook.topic = { type: 'search', words }
  const [result = NO_RESULT] = yield { thought: `I search for "${words}"${folder === undefined ? '' : ` in ${folder}`}.`, calls: [grep(wordsPattern(words), folder === undefined ? {} : { path_pattern: folder })] }
  if (result.type === 'failed') return notebook.say(`I could not search for "${words}": ${result.reason}`)
  const hits = hitsOf(result)
  notebook.hits.push(...hits)
  if (hits.length === 0) return notebook.say(`I found no line with "${words}".`)
  const lines = hits.slice(0, SHOWN_HITS).map((hit) => `- ${hit.path}:${hit.line}: ${hit.text.slice(0, 160)}`)
  const files = new Set(hits.map((hit) => hit.path)).size
  const more = hits.length > SHOWN_HITS ? `\n- … and ${hits.length - SHOWN_HITS} more` : ''
  notebook.say(`"${words}" stands in ${hits.length === 1 ? 'one line' : `${hits.length} lines`} of ${files === 1 ? 'one file' : `${files} files`}:\n\n${lines.join('\n')}${more}`)
}

function grep(pattern: string, options: Readonly<Record<string, unknown>>): { tool: string; arguments: Readonly<Record<string, unknown>> } {
  return { tool: 'grep', arguments: { pattern, ...options, limit: HIT_LIMIT } }
}

function hitsOf(result: ToolResult): readonly SearchHit[] {
  return result.type === 'ok' ? asSearchHits(result.value) : []
}
