import { arrayAt, isJsonArray, isJsonObject, type Json, type JsonObject, type JsonSchema } from '../completion/json.ts'

/**
 * `value` without the nulls that stand for "left out": strict providers require every field and let optional ones be null, which the
 * schema itself may not allow. Fields that are required, or may be null by the schema, stay. The same value when there is nothing to take out.
 */
export function withoutOptionalNulls(schema: JsonSchema, value: Json): Json {
  if (isJsonArray(value)) return mapArray(value, isJsonObject(schema['items']) ? schema['items'] : {})
  if (!isJsonObject(value)) return value
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {}
  const required = arrayAt(schema, 'required')
  let changed = false
  const entries = Object.entries(value).flatMap(([key, field]): [string, Json][] => {
    const property = properties[key]
    if (!isJsonObject(property)) return [[key, field]]
    if (field === null && !required.includes(key) && !allowsNull(property)) {
      changed = true
      return []
    }
    const kept = withoutOptionalNulls(property, field)
    changed ||= kept !== field
    return [[key, kept]]
  })
  return changed ? Object.fromEntries(entries) : value
}

function mapArray(values: readonly Json[], items: JsonSchema): Json {
  const mapped = values.map((value) => withoutOptionalNulls(items, value))
  return mapped.some((value, index) => value !== values[index]) ? mapped : values
}

/** A schema without a type allows everything, a reference is not looked into: then null stays. */
function allowsNull(schema: JsonObject): boolean {
  const { type, anyOf, oneOf, enum: values } = schema
  if (isJsonArray(values)) return values.includes(null)
  if (type !== undefined) return type === 'null' || (isJsonArray(type) && type.includes('null'))
  const options = [...(isJsonArray(anyOf) ? anyOf : []), ...(isJsonArray(oneOf) ? oneOf : [])]
  return options.length === 0 || options.some((option) => isJsonObject(option) && allowsNull(option))
}
