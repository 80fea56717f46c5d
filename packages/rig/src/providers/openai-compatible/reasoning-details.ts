import { stringAt, type Json, type JsonObject } from '../../completion/json.ts'
import type { ReasoningContent } from '../../completion/message-types.ts'

/** Fields whose fragments are put together; of all others the last one counts. */
const GROWING = new Set(['text', 'summary'])

/**
 * The `reasoning_details` of one answer, put together from their fragments. They go back as they came, for only their author can read all
 * of them: https://openrouter.ai/docs/use-cases/reasoning-tokens.
 */
export class ReasoningDetails {
  readonly #entries: Record<string, Json>[] = []
  /** The latest entry of each type and index: what a fragment goes on with. */
  readonly #growing = new Map<string, Record<string, Json>>()

  get entries(): readonly JsonObject[] {
    return this.#entries
  }

  /** `isWhole`: whether this is a detail by itself, not a fragment of one. */
  add(detail: JsonObject, { isWhole }: { readonly isWhole: boolean }): void {
    const key = isWhole ? undefined : keyOf(detail)
    const known = key === undefined ? undefined : this.#growing.get(key)
    if (known !== undefined) return merge(known, detail)
    const entry = { ...detail }
    this.#entries.push(entry)
    if (key !== undefined) this.#growing.set(key, entry)
  }

  /** What they say, as far as it can be shown or kept. */
  content(): readonly ReasoningContent[] {
    return this.#entries.flatMap(contentOf)
  }
}

/** What tells the details apart. Encrypted ones come whole, several with one index even: one for each call of a turn. */
function keyOf({ type, index }: JsonObject): string | undefined {
  if (type === 'reasoning.encrypted' || typeof type === 'object' || typeof index === 'object' && index !== null) return undefined
  return `${type} ${index ?? 0}`
}

function merge(entry: Record<string, Json>, detail: JsonObject): void {
  for (const [key, value] of Object.entries(detail)) {
    if (key === '__proto__') continue // Would not become a field.
    const before = entry[key]
    if (GROWING.has(key) && typeof before === 'string' && typeof value === 'string') entry[key] = before + value
    else if (value !== null) entry[key] = value
  }
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
