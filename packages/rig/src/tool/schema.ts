import { isJsonObject, type JsonSchema } from '../completion/json.ts'

/** One thing that is wrong with a value, in the form of the Standard Schema convention. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** A schema of any library that follows Standard Schema (https://standardschema.dev), as far as we use it. */
export interface StandardSchema<T = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>
    readonly types?: { readonly input: unknown; readonly output: T } | undefined
    readonly jsonSchema?: { readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown> }
  }
}

/** A JSON Schema with an optional check of our own making. */
export interface JsonSchemaWithCheck<T = unknown> {
  readonly jsonSchema: JsonSchema
  readonly validate?: (value: unknown) => T
}

export type SchemaLike<T = unknown> = StandardSchema<T> | JsonSchemaWithCheck<T> | JsonSchema

/** What a value is after it passed the schema: the library's output type, or `unknown` for a bare JSON Schema. */
export type InferOutput<S> = S extends { readonly '~standard': { readonly types?: { readonly output: infer T } | undefined } } ? T
  : S extends { readonly validate: (value: unknown) => infer T } ? T
    : unknown

/** The JSON Schema that describes the input of `schema`. Throws `TypeError` when it cannot be derived or is not an object schema. */
export function jsonSchemaOf(schema: SchemaLike): JsonSchema {
  const json = deriveJsonSchema(schema)
  if (!isJsonObject(json) || json['type'] !== 'object') throw new TypeError('Tool parameters need a schema whose top level is an object')
  return json
}

function deriveJsonSchema(schema: SchemaLike): unknown {
  if (isStandardSchema(schema)) {
    const { jsonSchema, vendor } = schema['~standard']
    if (jsonSchema === undefined) throw new TypeError(withoutJsonSchema(vendor))
    return jsonSchema.input({ target: 'draft-2020-12' })
  }
  return isJsonSchemaWithCheck(schema) ? schema.jsonSchema : schema
}

function withoutJsonSchema(vendor: string): string {
  const way = vendor === 'valibot' ? 'wrap it with toStandardJsonSchema of @valibot/to-json-schema' : 'use a release of the library that implements Standard JSON Schema'
  return `Schemas of "${vendor}" offer no JSON Schema by themselves: ${way}, or pass { jsonSchema, validate }`
}

/** Checks `value`. A bare JSON Schema accepts everything: providers enforce it, or the tool does. */
export function checkValue(schema: SchemaLike, value: unknown): SchemaResult<unknown> | Promise<SchemaResult<unknown>> {
  if (isStandardSchema(schema)) return schema['~standard'].validate(value)
  if (!isJsonSchemaWithCheck(schema) || schema.validate === undefined) return { value }
  try {
    return { value: schema.validate(value) }
  } catch (error) {
    return { issues: [{ message: error instanceof Error ? error.message : String(error) }] }
  }
}

/** `path: message`, as a model can use it. */
export function describeIssue({ message, path = [] }: SchemaIssue): string {
  const keys = path.map((entry) => String(typeof entry === 'object' ? entry.key : entry))
  return keys.length === 0 ? message : `${keys.join('.')}: ${message}`
}

function isStandardSchema(schema: SchemaLike): schema is StandardSchema {
  return '~standard' in schema
}

function isJsonSchemaWithCheck(schema: JsonSchemaWithCheck | JsonSchema): schema is JsonSchemaWithCheck {
  return isJsonObject(schema['jsonSchema']) && !('type' in schema)
}
