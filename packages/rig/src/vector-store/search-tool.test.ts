import { describe, expect, it } from 'vitest'
import { AgentBuilder } from '../agent/agent-builder.ts'
import { BagOfWordsModel } from '../embeddings/bag-of-words-model.ts'
import { EmbeddingsBuilder } from '../embeddings/embeddings-builder.ts'
import { calls, says, ScriptedModel, toolCall } from '../testing/scripted-model.ts'
import { InMemoryVectorStore } from './in-memory-vector-store.ts'
import { vectorSearchTool, type VectorSearchToolOptions } from './search-tool.ts'

const NOTES = [{ text: 'the key is under the mat', owner: 'ann' }, { text: 'the key is in the car', owner: 'bob' }, { text: 'milk is in the fridge', owner: 'ann' }]

async function notesTool(options?: VectorSearchToolOptions) {
  const model = new BagOfWordsModel()
  const embedded = await new EmbeddingsBuilder<(typeof NOTES)[number]>(model, ({ text }) => text).documents(NOTES).build()
  return vectorSearchTool(InMemoryVectorStore.fromDocuments(embedded).index(model), options)
}

/** What the model is shown after it has called the tool with `args`. */
async function resultOf(args: Parameters<typeof toolCall>[2], options?: VectorSearchToolOptions): Promise<string> {
  const model = new ScriptedModel([calls(toolCall('c1', options?.name ?? 'search_vector_store', args)), says('done')])
  await new AgentBuilder(model).tool(await notesTool(options)).build().prompt('where?')
  const result = model.requests[1]?.messages.at(-1)?.content[0]
  if (typeof result !== 'object' || result.type !== 'tool_result' || result.content[0]?.type !== 'text') throw new Error('unexpected')
  return result.content[0].text
}

describe('a tool that searches an index', () => {
  it('shows the model the scores, ids and documents, best first', async () => {
    const found: unknown = JSON.parse(await resultOf({ query: 'key under mat', samples: 2 }))
    expect(found).toEqual([{ score: expect.closeTo(3 / Math.sqrt(3 * 8), 6), id: 'doc0', document: NOTES[0] }, { score: expect.any(Number), id: 'doc1', document: NOTES[1] }])
  })

  it('leaves out what is below the threshold; null is none', async () => {
    expect(await resultOf({ query: 'key under mat', samples: 3, threshold: 0.6 })).toContain('doc0')
    expect(await resultOf({ query: 'key under mat', samples: 3, threshold: 0.99 })).toBe('[]')
    expect(JSON.parse(await resultOf({ query: 'key', samples: 3, threshold: null }))).toHaveLength(3)
  })

  it('finds nothing that its filter hides, whatever the model asks for', async () => {
    const shown = await resultOf({ query: 'the key is in the car', samples: 50, filter: { eq: ['owner', 'bob'] } }, { filter: { eq: ['owner', 'ann'] } })
    expect(shown).toContain('mat')
    expect(shown).not.toContain('car')
  })

  it.each([
    [{ samples: 1 }, 'query: expected a text'],
    [{ query: ' ', samples: 1 }, 'query: expected a text'],
    [{ query: 'key' }, 'samples: expected a whole number from 1 to 5'],
    [{ query: 'key', samples: 6 }, 'samples: expected a whole number from 1 to 5'],
    [{ query: 'key', samples: 1, threshold: 'high' }, 'threshold: expected a number'],
  ])('tells the model what is wrong with %j', async (args, message) => {
    expect(await resultOf(args, { maxSamples: 5 })).toContain(message)
  })

  it('has a name and a description of one\'s own where several indexes are searched', async () => {
    const tool = await notesTool({ name: 'search_notes', description: 'Ann\'s notes', maxSamples: 5 })
    expect(await tool.definition('')).toMatchObject({ name: 'search_notes', description: 'Ann\'s notes', parameters: { required: ['query', 'samples'], properties: { samples: { maximum: 5 } } } })
    expect(await resultOf({ query: 'key', samples: 1 }, { name: 'search_notes' })).toContain('key')
    await expect(notesTool({ name: 'search notes' })).rejects.toThrow(TypeError)
  })
})
