import { type FoundMemory, findMemories, listedMemory } from './memories.ts'
import { MEMORY_FILTER } from './memory-arguments.ts'
import { fittingItems } from './result-limit.ts'
import { defineReadTool } from './tool.ts'
import { choice, limit, optionalInteger, toolArguments } from './tool-arguments.ts'

const DEFAULT_LIMIT = 100
const LIST_TYPES = ['categories', 'tags', 'memories'] as const

export const memoryListTool = defineReadTool({
  name: 'memory_list',
  description: 'List what is remembered: the categories, the tags (each with how many memories have it), or the memories themselves, the one that changed last first.',
  arguments: toolArguments({
    list_type: choice(LIST_TYPES, 'What to list.'),
    ...MEMORY_FILTER,
    limit: limit('entries', DEFAULT_LIMIT),
    offset: optionalInteger('Entries to skip. Default 0.', { min: 0 }),
  }),
  async run({ list_type: type, scope, category, tags = [], limit: most, offset = 0 }, context) {
    const { memories, more } = await findMemories({ scope, category, tags }, context)
    const all = entriesOf(type, memories)
    const page = fittingItems(most === 0 ? all.slice(offset) : all.slice(offset, offset + most))
    const next = offset + page.length
    const rest = next < all.length ? `${all.length} in all; go on with offset: ${next}.` : null
    return { [type]: page, total: all.length, offset, truncated: more || next < all.length, notice: more ? `There are more memories than were looked at. Give a category.${rest === null ? '' : ` ${rest}`}` : rest }
  },
})

function entriesOf(type: (typeof LIST_TYPES)[number], memories: readonly FoundMemory[]): readonly object[] {
  switch (type) {
    case 'categories':
      return counted(memories.map(({ category }) => category))
    case 'tags':
      return counted(memories.flatMap(({ memory }) => [...new Set(memory?.tags ?? [])]))
    case 'memories':
      return memories.map(listedMemory)
  }
}

/** Most used first; of equals, by name. */
function counted(names: readonly string[]): readonly { readonly name: string; readonly count: number }[] {
  const counts = Map.groupBy(names, (name) => name)
  return [...counts].map(([name, { length }]) => ({ name, count: length })).sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
}
