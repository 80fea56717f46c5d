import { parsePath } from '../services/files/file-path.ts'
import { requireEntry } from './find-entry.ts'
import { fittingItems } from './result-limit.ts'
import { defineReadTool } from './tool.ts'
import { limit, optionalChoice, optionalText, shortText, toolArguments } from './tool-arguments.ts'

const DEFAULT_LIMIT = 10
const MOST_HITS = 100
const MODES = { words: ['text'], meaning: ['semantic'], both: ['text', 'semantic'] } as const

export const searchTool = defineReadTool({
  name: 'search',
  description: 'Search files by words and by meaning: a few words or a question. Best first, each with the line (from 1) that fits best. For an exact text or a regular expression use grep.',
  arguments: toolArguments({
    query: shortText('What to look for. "In quotes": these words next to each other; -word: without it; OR: either.'),
    path: optionalText('The folder or file to search in. Default: everywhere.'),
    by: optionalChoice(['both', 'words', 'meaning'], 'How to search. Default both.'),
    limit: limit('hits', DEFAULT_LIMIT),
  }),
  async run({ query, path: asked, by = 'both', limit: most }, context) {
    const path = parsePath(asked ?? '/')
    await requireEntry(context, path)
    const count = most === 0 ? MOST_HITS : Math.min(most, MOST_HITS)
    const { workspaceId, signal } = context
    const result = await context.search.search({ workspaceId, signal, question: query, path, modes: MODES[by], limit: count })
    const hits = fittingItems(result.hits.map(({ path: file, line, endLine, heading, excerpt, sources }) => ({ path: file, line, end_line: endLine, heading, excerpt, found_by: sources.map(foundBy) })))
    const truncated = result.truncated || hits.length < result.hits.length
    const more = truncated ? `There are more than these ${hits.length} hits. Use more or rarer words, a path, or a higher limit (at most ${MOST_HITS}).` : null
    const notice = [result.notice, more].filter((part) => part !== null).join(' ')
    return { query, path, hits, truncated, notice: notice === '' ? null : notice }
  },
})

function foundBy(source: 'text' | 'semantic' | 'regex'): string {
  return source === 'text' ? 'words' : source === 'semantic' ? 'meaning' : 'pattern'
}
