import type { Document } from '../completion/completion-request.ts'
import type { AnyMessage } from '../completion/message-types.ts'
import type { Tool } from '../tool/tool.ts'
import type { ToolSet } from '../tool/tool-set.ts'

/** What a search is asked. */
export interface RetrievalQuery {
  readonly query: string
  /** The most results wanted. */
  readonly samples: number
}

/** Where documents for a prompt are found: any vector store index. */
export interface ContextIndex {
  topN(request: RetrievalQuery): Promise<readonly { readonly id: string; readonly document: unknown }[]>
}

/** Where the tools for a prompt are found: an index over descriptions whose ids are tool names. */
export interface ToolIndex {
  topNIds(request: RetrievalQuery): Promise<readonly { readonly id: string }[]>
}

export interface DynamicContext {
  readonly samples: number
  readonly index: ContextIndex
  /** Asks again before each model call. Once per run keeps the provider's prompt cache. */
  readonly everyTurn: boolean
}

export interface DynamicTools {
  readonly samples: number
  readonly index: ToolIndex
  readonly tools: ToolSet
}

/** Documents and tools that depend on what is asked, for one run. */
export class Retrieval {
  readonly #contexts: readonly DynamicContext[]
  readonly #tools: readonly DynamicTools[]
  readonly #known = new Map<DynamicContext, readonly Document[]>()
  #foundTools: readonly Tool[] | undefined

  constructor(contexts: readonly DynamicContext[], tools: readonly DynamicTools[]) {
    this.#contexts = contexts
    this.#tools = tools
  }

  /** The documents for this model call; `messages` is everything said so far. */
  async documents(messages: readonly AnyMessage[]): Promise<readonly Document[]> {
    if (this.#contexts.length === 0) return []
    const found = await Promise.all(this.#contexts.map((context) => this.#documentsOf(context, messages)))
    return found.flat()
  }

  /** The tools for this run, each once. */
  async tools(messages: readonly AnyMessage[]): Promise<readonly Tool[]> {
    if (this.#tools.length === 0) return []
    this.#foundTools ??= await this.#findTools(latestUserText(messages))
    return this.#foundTools
  }

  async #documentsOf(context: DynamicContext, messages: readonly AnyMessage[]): Promise<readonly Document[]> {
    const known = context.everyTurn ? undefined : this.#known.get(context)
    if (known !== undefined) return known
    const query = latestUserText(messages)
    const found = query === undefined ? [] : await context.index.topN({ query, samples: context.samples })
    const documents = found.map(({ id, document }) => ({ id, text: typeof document === 'string' ? document : JSON.stringify(document, null, 2) }))
    this.#known.set(context, documents)
    return documents
  }

  async #findTools(query: string | undefined): Promise<readonly Tool[]> {
    if (query === undefined) return []
    const found = await Promise.all(this.#tools.map(async ({ index, samples, tools }) => {
      const ids = await index.topNIds({ query, samples })
      return ids.flatMap(({ id }) => tools.get(id) ?? [])
    }))
    return [...new Map(found.flat().map((tool) => [tool.name, tool])).values()]
  }
}

/** The first text of the newest user message that has one: results of tools are no question. */
export function latestUserText(messages: readonly AnyMessage[]): string | undefined {
  for (const message of messages.toReversed()) {
    if (message.role !== 'user') continue
    const text = message.content.find((part) => part.type === 'text' && part.text.trim() !== '')
    if (text?.type === 'text') return text.text
  }
  return undefined
}
