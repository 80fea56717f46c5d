import { isJsonArray, isJsonObject, type Json, type JsonObject, type JsonSchema } from '../completion/json.ts'
import { CompletionError } from '../errors.ts'

/**
 * A schema as OpenAI's strict mode wants it: every object closed, every property required; what was optional may be `null` instead.
 * The given schema is not changed. Throws `CompletionError` of kind `request` for maps with free keys, which strict mode cannot express.
 */
export function strictSchema(schema: JsonSchema): JsonSchema {
  return strictNode(schema)
}

const SCHEMA_LISTS = ['anyOf', 'allOf', 'prefixItems']
const SCHEMA_MAPS = ['$defs', 'definitions']

function strictNode(node: JsonObject): JsonObject {
  if ('$ref' in node) return { $ref: node['$ref'] ?? null }
  const { oneOf, ...rest } = node
  const merged: JsonObject = isJsonArray(oneOf) ? { ...rest, anyOf: [...listOf(rest['anyOf']), ...oneOf] } : rest
  const entries = Object.entries(merged).map(([key, value]): [string, Json] => [key, strictValue(key, value)])
  const result = Object.fromEntries(entries)
  return isObjectSchema(result) ? closedObject(result, node) : result
}

function strictValue(key: string, value: Json): Json {
  if (key === 'items' && isJsonObject(value)) return strictNode(value)
  if (SCHEMA_LISTS.includes(key) && isJsonArray(value)) return value.map(strictOrSame)
  if (SCHEMA_MAPS.includes(key) && isJsonObject(value)) return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, strictOrSame(schema)]))
  return value
}

function closedObject(schema: JsonObject, original: JsonObject): JsonObject {
  const extra = original['additionalProperties']
  if (extra === true || isJsonObject(extra)) throw new CompletionError('request', 'A strict schema cannot have additionalProperties: list the keys, or do without strict')
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {}
  const required = listOf(original['required'])
  const strict = Object.entries(properties).map(([name, property]): [string, Json] => {
    const node = strictOrSame(property)
    return [name, required.includes(name) || admitsNull(node) ? node : { anyOf: [node, { type: 'null' }] }]
  })
  return { ...schema, properties: Object.fromEntries(strict), required: Object.keys(properties), additionalProperties: false }
}

function isObjectSchema({ type, properties }: JsonObject): boolean {
  return type === 'object' || (isJsonArray(type) && type.includes('object')) || isJsonObject(properties)
}

function strictOrSame(value: Json): Json {
  return isJsonObject(value) ? strictNode(value) : value
}

function listOf(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : []
}

/** Whether a value that fits `schema` may be null. References are not looked into. */
export function admitsNull(schema: Json): boolean {
  if (!isJsonObject(schema)) return false
  const { type, anyOf } = schema
  if (type === 'null' || (isJsonArray(type) && type.includes('null'))) return true
  return isJsonArray(anyOf) && anyOf.some(admitsNull)
}
