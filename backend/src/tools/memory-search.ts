import { type FoundMemory, findMemories, listedMemory } from './memories.ts'
import { MEMORY_FILTER } from './memory-arguments.ts'
import { fittingItems } from './result-limit.ts'
import { defineReadTool } from './tool.ts'
import { flag, limit, shortText, toolArguments } from './tool-arguments.ts'

const DEFAULT_LIMIT = 20
const PREVIEW_BEFORE = 120
const PREVIEW_AFTER = 480

export const memorySearchTool = defineReadTool({
  name: 'memory_search',
  description: 'Search memories by their text: those that hold all the words, in title, key, category, tags or content. The best match first, each with the part of its text that matches; memory_get shows all of it.',
  arguments: toolArguments({
    pattern: shortText('The words to look for, in any order; empty text finds all.'),
    ...MEMORY_FILTER,
    case_sensitive: flag('Tell upper and lower case apart.'),
    limit: limit('memories', DEFAULT_LIMIT),
  }),
  async run({ pattern, scope, category, tags = [], case_sensitive: isExact, limit: most }, context) {
    const { memories, more } = await findMemories({ scope, category, tags }, context)
    const fold = (text: string): string => (isExact ? text : text.toLowerCase())
    const words = fold(pattern.normalize('NFC')).split(/\s+/).filter((word) => word !== '')
    const hits = memories.flatMap((found) => {
      const score = scoreOf(found, { words, fold })
      return score === undefined ? [] : [{ found, score }]
    })
    const ranked = hits.sort((a, b) => b.score - a.score).map(({ found }) => found)
    const shown = fittingItems((most === 0 ? ranked : ranked.slice(0, most)).map((found) => ({ ...listedMemory(found), preview: preview(found, { words, fold }) })))
    const truncated = more || shown.length < ranked.length
    return { matches: shown, total: ranked.length, truncated, notice: truncated ? `${shown.length} of ${more ? 'more than ' : ''}${ranked.length} memories are shown. Give more words, a category or tags, or a higher limit.` : null }
  },
})

interface Wanted {
  readonly words: readonly string[]
  fold(text: string): string
}

/** How well it matches: words in title, names and tags count more than in the text. Undefined when a word is nowhere. */
function scoreOf({ category, key, memory }: FoundMemory, { words, fold }: Wanted): number | undefined {
  const head = fold([category, key, memory?.title ?? '', ...(memory?.tags ?? [])].join('\n'))
  const body = fold(memory?.body ?? '')
  const places = words.map((word) => (head.includes(word) ? 2 : body.includes(word) ? 1 : 0))
  return places.includes(0) ? undefined : places.reduce<number>((sum, place) => sum + place, 0)
}

/** The part of the text around the first word that is found in it, else its beginning. */
function preview({ memory }: FoundMemory, { words, fold }: Wanted): string {
  const text = memory?.body.trim() ?? ''
  const folded = fold(text)
  const first = words.map((word) => folded.indexOf(word)).filter((at) => at >= 0).sort((a, b) => a - b)[0] ?? 0
  const start = first <= PREVIEW_BEFORE ? 0 : first - PREVIEW_BEFORE
  const part = text.slice(start, first + PREVIEW_AFTER).toWellFormed()
  return `${start > 0 ? '…' : ''}${part}${first + PREVIEW_AFTER < text.length ? '…' : ''}`
}
