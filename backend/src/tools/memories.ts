/** The memories that a caller may see through the memory tools: those for everybody, and the caller's own. */
import { hasTags, type Memory, parseMemory } from '../services/memories/memory-file.ts'
import { MEMORY_SCOPES, memoryFolder, type MemoryName, memoryName, type MemoryScope } from '../services/memories/memory-path.ts'
import { textsBelow } from './texts-below.ts'
import type { ToolContext } from './tool.ts'

export interface MemoryFilter {
  readonly scope: MemoryScope | undefined
  readonly category: string | undefined
  readonly tags: readonly string[]
}

export interface FoundMemory extends MemoryName {
  readonly path: string
  /** When the file changed last. */
  readonly changedAt: string
  /** Undefined for one that is broken, over 1 MiB or not text; then `problem` says why. */
  readonly memory: Memory | undefined
  readonly problem: string | null
}

export interface FoundMemories {
  readonly memories: readonly FoundMemory[]
  /** There are more files than were looked at. */
  readonly more: boolean
}

/** The memories that pass the filter, the one that changed last first. */
export async function findMemories({ scope, category, tags }: MemoryFilter, context: ToolContext): Promise<FoundMemories> {
  const found: FoundMemory[] = []
  let more = false
  for (const one of scope === undefined ? MEMORY_SCOPES : [scope]) {
    const owner = { scope: one, userId: context.userId }
    const isWanted = (path: string): boolean => {
      const name = memoryName(path, owner)
      return name !== undefined && (category === undefined || name.category === category.trim().normalize('NFC'))
    }
    const below = await textsBelow(memoryFolder(one, context.userId), isWanted, context)
    more ||= below.more
    for (const { path, text, updatedAt } of below.files) {
      const name = memoryName(path, owner)
      if (name !== undefined) found.push({ ...name, path, changedAt: updatedAt, ...readMemory(text, name.key) })
    }
  }
  const memories = found.filter(({ memory }) => tags.length === 0 || (memory !== undefined && hasTags(memory.tags, tags)))
  return { memories: memories.sort((a, b) => (a.changedAt < b.changedAt ? 1 : a.changedAt > b.changedAt ? -1 : 0)), more }
}

function readMemory(text: string | undefined, key: string): Pick<FoundMemory, 'memory' | 'problem'> {
  if (text === undefined) return { memory: undefined, problem: 'It is over 1 MiB, or not text.' }
  const memory = parseMemory(text, key)
  if (!('error' in memory)) return { memory, problem: null }
  return { memory: undefined, problem: `Line ${memory.error.line}, column ${memory.error.column}: ${memory.error.message}` }
}

const TITLE_LENGTH = 300

/** A memory as lists show it. */
export function listedMemory({ path, scope, category, key, memory, changedAt, problem }: FoundMemory) {
  return { path, scope, category, key, title: memory?.title.slice(0, TITLE_LENGTH).toWellFormed() ?? null, tags: memory?.tags.slice(0, TITLE_LENGTH) ?? [], updated_at: changedAt, problem }
}
