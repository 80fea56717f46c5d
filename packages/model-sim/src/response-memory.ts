import type { JsonObject } from './json.ts'
import type { ItemMemory } from './responses/request.ts'

const KEPT_RESPONSES = 200
const KEPT_ITEMS = 5000

/** Responses that may be continued by `previous_response_id` and items that may be referred to by id, the newest only. */
export class ResponseMemory implements ItemMemory {
  readonly #items = new Map<string, JsonObject>()
  readonly #conversations = new Map<string, readonly JsonObject[]>()

  item(id: string): JsonObject | undefined {
    return this.#items.get(id)
  }

  conversation(responseId: string): readonly JsonObject[] | undefined {
    return this.#conversations.get(responseId)
  }

  remember(responseId: string, options: { readonly input: readonly JsonObject[]; readonly items: readonly JsonObject[] }): void {
    for (const item of options.items) this.#items.set(String(item['id']), item)
    this.#conversations.set(responseId, [...options.input, ...options.items])
    dropOldest(this.#items, KEPT_ITEMS)
    dropOldest(this.#conversations, KEPT_RESPONSES)
  }
}

function dropOldest(map: Map<string, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return
    map.delete(key)
  }
}
