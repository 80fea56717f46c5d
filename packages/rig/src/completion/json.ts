/** Any value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

/** A JSON object: tool arguments, provider payloads, additional parameters. */
export interface JsonObject {
  readonly [key: string]: Json
}

/** A JSON Schema document. Only its top level is ever looked at here; providers get it as it is. */
export type JsonSchema = JsonObject

/** Whether `value` is an object with keys: not `null`, not an array. Meant for values that came out of `JSON.parse`. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether `value` is an array that came out of `JSON.parse`. */
export function isJsonArray(value: unknown): value is readonly Json[] {
  return Array.isArray(value)
}

/** The string at `key`, or `undefined` when it is missing or of another type: foreign payloads are read leniently. */
export function stringAt(object: JsonObject, key: string): string | undefined {
  const value = object[key]
  return typeof value === 'string' ? value : undefined
}

/** The number at `key`, or `undefined` when it is missing or of another type. */
export function numberAt(object: JsonObject, key: string): number | undefined {
  const value = object[key]
  return typeof value === 'number' ? value : undefined
}

/** The object at `key`, or `undefined` when it is missing or of another type. */
export function objectAt(object: JsonObject, key: string): JsonObject | undefined {
  const value = object[key]
  return isJsonObject(value) ? value : undefined
}

/** The array at `key`; empty when it is missing or of another type. */
export function arrayAt(object: JsonObject, key: string): readonly Json[] {
  const value = object[key]
  return isJsonArray(value) ? value : []
}

/** Parses JSON text without throwing: `undefined` when it is malformed (JSON itself has no `undefined`). */
export function tryParseJson(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch {
    // The caller decides what malformed text means at its place.
    return undefined
  }
}
