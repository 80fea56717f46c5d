import { z } from 'zod'
import type { AnyTool } from './tool.ts'

/** A JSON Schema as model providers take it. */
export interface ToolParameters {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly required: readonly string[]
  readonly additionalProperties: false
  readonly [keyword: string]: unknown
}

/**
 * The arguments of `tool` as JSON Schema, in the subset that strict providers accept (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas):
 * no `$schema`, no defaults, no transforms; what may be absent also admits null, so that a provider which makes every property required leaves the model a way out.
 */
export function toolParameters(tool: AnyTool): ToolParameters {
  return closedObject(z.toJSONSchema(tool.arguments, { io: 'input' }))
}

type JsonSchema = Readonly<Record<string, unknown>>

function closedObject({ properties, required }: JsonSchema): ToolParameters {
  const plain = Object.entries(isSchema(properties) ? properties : {}).map(([name, schema]) => [name, plainProperty(schema)] as const)
  return { type: 'object', properties: Object.fromEntries(plain), required: Array.isArray(required) ? required.map(String) : [], additionalProperties: false }
}

function plainProperty(schema: unknown): JsonSchema {
  if (!isSchema(schema)) throw new TypeError('An argument of a tool needs a schema')
  const { description, anyOf, ...rest } = schema
  if (!Array.isArray(anyOf)) return { ...plainValue(rest), description }
  const options: readonly unknown[] = anyOf
  const value = options.filter(isSchema).find((option) => option['type'] !== 'null')
  if (value === undefined || options.length !== 2) throw new TypeError('An argument of a tool is of one type, or of one type and null')
  const choices: unknown = value['enum']
  return { ...plainValue(value), type: [value['type'], 'null'], ...(Array.isArray(choices) && { enum: [...choices.map(String), null] }), description }
}

/** The bounds of safe integers and the lengths of texts and lists say nothing to a model, and strict validators refuse the latter. */
function plainValue(schema: JsonSchema): JsonSchema {
  const { minimum, maximum, maxLength: _maxLength, minItems: _minItems, maxItems: _maxItems, items, ...rest } = schema
  return {
    ...rest,
    ...(minimum !== Number.MIN_SAFE_INTEGER && minimum !== undefined && { minimum }),
    ...(maximum !== Number.MAX_SAFE_INTEGER && maximum !== undefined && { maximum }),
    ...(isSchema(items) && { items: items['type'] === 'object' ? closedObject(items) : plainValue(items) }),
  }
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null
}
