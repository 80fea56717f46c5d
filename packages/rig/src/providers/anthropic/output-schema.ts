import { isJsonArray, isJsonObject, type Json, type JsonObject, type JsonSchema } from '../../completion/json.ts'
import { CompletionError } from '../../errors.ts'
import { admitsNull } from '../strict-schema.ts'

/** Keywords below which further schemas stand, one each, in a list, or by name. */
const SCHEMAS = ['items']
const SCHEMA_LISTS = ['anyOf', 'allOf', 'prefixItems']
const SCHEMA_MAPS = ['$defs', 'definitions', 'properties']

const NUMERIC_LIMITS = new Set(['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'])
/** What the compiler of strict tools understands: https://platform.claude.com/docs/en/build-with-claude/structured-outputs. */
const STRICT_KEYWORDS = new Set([
  'type', 'enum', 'const', 'title', 'description', 'default', 'properties', 'required', 'additionalProperties', 'items', 'anyOf', 'allOf', '$ref', '$defs', 'definitions',
])
const STRICT_FORMATS = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid'])

/**
 * A schema as `output_config` takes it: every object closed, every property required (what was optional may be `null` instead), no limits
 * of numbers. The given schema is not changed. Throws `CompletionError` of kind `request` for maps with free keys.
 */
export function outputSchema(schema: JsonSchema): JsonSchema {
  const below = withSchemas(anyOfOneOf(schema), outputSchema)
  const node = isNumeric(below) ? without(below, NUMERIC_LIMITS) : below
  if (!isObjectSchema(node)) return node
  const { properties } = node
  if (!isJsonObject(properties)) return closed(node)
  const required = isJsonArray(node['required']) ? node['required'] : []
  const entries = Object.entries(properties).map(([name, property]): [string, Json] => [name, required.includes(name) ? property : nullable(property)])
  return closed({ ...node, properties: Object.fromEntries(entries), required: Object.keys(properties) })
}

/**
 * A schema as strict tools take it: objects closed, optional properties as they are, and what cannot be enforced told in the description.
 * Throws `CompletionError` of kind `request` for maps with free keys.
 */
export function strictToolSchema(schema: JsonSchema): JsonSchema {
  const { $schema: _dialect, ...rest } = anyOfOneOf(schema)
  const node = withSchemas(rest, strictToolSchema)
  const entries = Object.entries(node)
  const kept = Object.fromEntries(entries.filter(([key, value]) => isEnforced(key, value)))
  const hints = entries.filter(([key, value]) => !isEnforced(key, value)).map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const described = hints.length === 0 ? kept : { ...kept, description: [kept['description'], `{${hints.join(', ')}}`].filter((part) => typeof part === 'string').join('\n\n') }
  return isObjectSchema(described) ? closed(described) : described
}

function isEnforced(key: string, value: Json): boolean {
  if (key === 'format') return typeof value === 'string' && STRICT_FORMATS.has(value)
  if (key === 'minItems') return value === 0 || value === 1
  return STRICT_KEYWORDS.has(key)
}

function anyOfOneOf(node: JsonObject): JsonObject {
  const { oneOf, ...rest } = node
  if (!isJsonArray(oneOf)) return node
  return { ...rest, anyOf: [...(isJsonArray(rest['anyOf']) ? rest['anyOf'] : []), ...oneOf] }
}

/** `node` with `change` applied to the schemas directly below it. */
function withSchemas(node: JsonObject, change: (schema: JsonObject) => JsonObject): JsonObject {
  const changed = (value: Json): Json => (isJsonObject(value) ? change(value) : value)
  return mapValues(node, (value, key) => {
    if (SCHEMAS.includes(key)) return changed(value)
    if (SCHEMA_LISTS.includes(key) && isJsonArray(value)) return value.map(changed)
    return SCHEMA_MAPS.includes(key) && isJsonObject(value) ? mapValues(value, changed) : value
  })
}

function mapValues(object: JsonObject, change: (value: Json, key: string) => Json): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value, key)]))
}

function without(node: JsonObject, keys: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(node).filter(([key]) => !keys.has(key)))
}

function closed(node: JsonObject): JsonObject {
  const extra = node['additionalProperties']
  if (extra === true || isJsonObject(extra)) throw new CompletionError('request', 'A strict schema cannot have additionalProperties: list the keys, or do without strict')
  return { ...node, additionalProperties: false }
}

function nullable(property: Json): Json {
  return isJsonObject(property) && !admitsNull(property) ? { anyOf: [property, { type: 'null' }] } : property
}

function isObjectSchema({ type, properties }: JsonObject): boolean {
  return type === 'object' || (isJsonArray(type) && type.includes('object')) || isJsonObject(properties)
}

function isNumeric({ type }: JsonObject): boolean {
  return ['integer', 'number'].some((numeric) => type === numeric || (isJsonArray(type) && type.includes(numeric)))
}
