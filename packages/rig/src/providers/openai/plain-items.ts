import type { Json, JsonObject } from '../../completion/json.ts'

/**
 * The items of one message in the shortest form, for servers that know no other: texts as plain strings, one item for all that a user says
 * at once, no ids but those of calls and reasoning, no status. https://docs.x.ai/docs/api-reference
 */
export function plainItems(items: readonly Json[]): readonly JsonObject[] {
  const plain: JsonObject[] = []
  let said: Json[] = []
  const endSaid = () => {
    if (said.length > 0) plain.push({ type: 'message', role: 'user', content: plainContent(said) })
    said = []
  }
  for (const item of items.filter(isObject)) {
    if (item['role'] === 'user') {
      said.push(...listOf(item['content']))
      continue
    }
    endSaid()
    plain.push(plainItem(item))
  }
  endSaid()
  return plain
}

function plainItem({ id, status: _status, encrypted_content: _sealed, ...item }: JsonObject): JsonObject {
  if (item['type'] === 'message') return { ...item, content: plainContent(listOf(item['content'])) }
  return item['type'] === 'reasoning' && id !== undefined ? { ...item, id } : item
}

/** A single text is a string. */
function plainContent(parts: readonly Json[]): Json {
  const texts = parts.map((part) => (typeof part === 'string' ? part : isObject(part) ? part['text'] : undefined))
  const [first] = texts
  return texts.length === 1 && typeof first === 'string' ? first : parts
}

function listOf(content: Json | undefined): readonly Json[] {
  return Array.isArray(content) ? content : content === undefined ? [] : [content]
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
