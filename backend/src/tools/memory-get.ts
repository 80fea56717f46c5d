import { brokenFrontMatter } from '../services/files/broken-front-matter.ts'
import { parseMemory } from '../services/memories/memory-file.ts'
import { memoryPath } from '../services/memories/memory-path.ts'
import { fittingLines } from './line-budget.ts'
import { MEMORY_NAME } from './memory-arguments.ts'
import { readText } from './read.ts'
import { CONTENT_LIMIT_BYTES, jsonBytes } from './result-limit.ts'
import { splitLines } from './text-lines.ts'
import { defineReadTool } from './tool.ts'
import { toolArguments } from './tool-arguments.ts'

export const memoryGetTool = defineReadTool({
  name: 'memory_get',
  description: 'Recall one memory by its scope, category and key: title, tags and the whole text. memory_search and memory_list tell which there are.',
  arguments: toolArguments(MEMORY_NAME),
  async run({ scope, category, key }, context) {
    const path = memoryPath({ scope, category, key }, context.userId)
    const { file, text } = await readText(path, context)
    const memory = parseMemory(text, key)
    if ('error' in memory) throw brokenFrontMatter(path, memory.error)
    const { title, tags, createdAt, updatedAt, body } = memory
    const lines = splitLines(body)
    const { text: content, count, cut } = fittingLines(lines, CONTENT_LIMIT_BYTES - jsonBytes({ title, tags }), true)
    const truncated = cut || count < lines.length
    const notice = truncated ? `Only the beginning is shown. Read the rest with read of "${path}".` : null
    return { path, scope, category: category.trim(), key: key.trim(), title, tags, content, created_at: createdAt, updated_at: updatedAt, hash: file.hash, version: file.version, truncated, notice }
  },
})
