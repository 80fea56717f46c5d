import { isJsonObject } from '../completion/json.ts'
import { tool, type Tool } from '../tool/tool.ts'
import type { Filter } from './filter.ts'
import type { VectorSearchResult, VectorStoreIndex } from './vector-store-index.ts'

/** What the model gives `search_vector_store`. */
export interface VectorSearchArguments {
  readonly query: string
  readonly samples: number
  readonly threshold?: number
}

export interface VectorSearchToolOptions {
  /** `search_vector_store` unless given: two indexes need two names. */
  readonly name?: string
  /** Tells the model what is in the store and when to search it. */
  readonly description?: string
  /** The most results that the model may ask for, 1 or more; 50 unless given. They all go into its context. */
  readonly maxSamples?: number
  /** Holds for every search, out of the model's reach: what it must not see is not found. */
  readonly filter?: Filter
}

const DEFAULT_DESCRIPTION = 'Searches stored documents by meaning and returns the most similar ones, best first, each with its score and id.'
const DEFAULT_MAX_SAMPLES = 50

/** A tool with which a model searches `index` by itself. Throws `TypeError` for a name that providers refuse. */
export function vectorSearchTool<T>(index: VectorStoreIndex<T>, options: VectorSearchToolOptions = {}): Tool<VectorSearchArguments, readonly VectorSearchResult<T>[]> {
  const { name = 'search_vector_store', description = DEFAULT_DESCRIPTION, maxSamples = DEFAULT_MAX_SAMPLES, filter } = options
  return tool({
    name,
    description,
    parameters: parametersOf(maxSamples),
    call: (args, { signal }) => index.topN({ ...args, ...(filter === undefined ? {} : { filter }) }, { signal }),
  })
}

function parametersOf(maxSamples: number) {
  return {
    jsonSchema: {
      type: 'object',
      properties: {
        query: { type: 'string', description: 'What to look for, in words that the documents may use' },
        samples: { type: 'integer', minimum: 1, maximum: maxSamples, description: 'How many documents at most' },
        threshold: { type: 'number', description: 'Leave out documents with a lower score' },
      },
      required: ['query', 'samples'],
      additionalProperties: false,
    },
    validate: (value: unknown) => parseArguments(value, maxSamples),
  }
}

/** Throws `TypeError` with words for the model. */
function parseArguments(value: unknown, maxSamples: number): VectorSearchArguments {
  const { query, samples, threshold } = isJsonObject(value) ? value : {}
  if (typeof query !== 'string' || query.trim() === '') throw new TypeError('query: expected a text')
  if (typeof samples !== 'number' || !Number.isInteger(samples) || samples < 1 || samples > maxSamples) {
    throw new TypeError(`samples: expected a whole number from 1 to ${maxSamples}`)
  }
  if (threshold === undefined) return { query, samples }
  if (typeof threshold !== 'number') throw new TypeError('threshold: expected a number')
  return { query, samples, threshold }
}
