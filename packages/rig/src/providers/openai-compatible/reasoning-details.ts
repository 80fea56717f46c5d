import { stringAt, type Json, type JsonObject } from '../../completion/json.ts'
import type { ReasoningContent } from '../../completion/message-types.ts'

/** Fields whose fragments are put together; of all others the last one counts. */
const GROWING = new Set(['text', 'summary'])

/**
 * The `reasoning_details` of one answer, put together from their fragments. They go back as they came, for only their author can read all
 * of them: https://openrouter.ai/docs/use-cases/reasoning-tokens.
 */
export class ReasoningDetails {
  readonly #entries: JsonObject[] = []

  get entries(): readonly JsonObject[] {
    return this.#entries
  }

  /** `isWhole`: whether this is a detail by itself, not a fragment of one. */
  add(detail: JsonObject, { isWhole }: { readonly isWhole: boolean }): void {
    const place = isWhole ? -1 : this.#entries.findLastIndex((entry) => isContinued(entry, detail))
    const entry = this.#entries[place]
    if (entry === undefined) this.#entries.push(detail)
    else this.#entries[place] = merged(entry, detail)
  }

  /** What they say, as far as it can be shown or kept. */
  content(): readonly ReasoningContent[] {
    return this.#entries.flatMap(contentOf)
  }
}

/** Encrypted details come whole, several with one index even: one for each call of a turn. */
function isContinued(entry: JsonObject, detail: JsonObject): boolean {
  return entry['type'] !== 'reasoning.encrypted' && entry['type'] === detail['type'] && (entry['index'] ?? 0) === (detail['index'] ?? 0)
}

function merged(entry: JsonObject, detail: JsonObject): JsonObject {
  const result: Record<string, Json> = { ...entry }
  for (const [key, value] of Object.entries(detail)) {
    const before = result[key]
    if (GROWING.has(key) && typeof before === 'string' && typeof value === 'string') result[key] = before + value
    else if (value !== null) result[key] = value
  }
  return result
}

function contentOf(detail: JsonObject): readonly ReasoningContent[] {
  switch (detail['type']) {
    case 'reasoning.text': {
      const signature = stringAt(detail, 'signature')
      return [{ type: 'text', text: stringAt(detail, 'text') ?? '', ...(signature === undefined ? {} : { signature }) }]
    }
    case 'reasoning.summary': return [{ type: 'summary', text: stringAt(detail, 'summary') ?? '' }]
    case 'reasoning.encrypted': return [{ type: 'encrypted', data: stringAt(detail, 'data') ?? '' }]
    default: return []
  }
}
