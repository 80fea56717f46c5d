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

/** The deepest nesting that is read: everything that walks through a value uses the stack, writing it as JSON included. */
const MAX_DEPTH = 1000

/** Parses JSON text without throwing: `undefined` when it is malformed (JSON itself has no `undefined`) or nested deeper than 1000 levels. */
export function tryParseJson(text: string): Json | undefined {
  if (isTooDeep(text)) return undefined
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch {
    // The caller decides what malformed text means at its place.
    return undefined
  }
}

/** Whether JSON text is nested deeper than 1000 levels. */
export function isTooDeep(text: string): boolean {
  // Nearly all texts are too short for it, or have too few brackets, which is found out quickly.
  if (text.length <= 2 * MAX_DEPTH || !hasManyBrackets(text)) return false
  let depth = 0
  let isString = false
  for (let place = 0; place < text.length; place++) {
    const code = text.charCodeAt(place)
    if (isString) {
      if (code === BACKSLASH) place++
      else if (code === QUOTE) isString = false
    } else if (code === QUOTE) isString = true
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > MAX_DEPTH) return true
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--
  }
  return false
}

const QUOTE = 0x22
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

function hasManyBrackets(text: string): boolean {
  let count = 0
  for (const bracket of ['{', '[']) {
    for (let place = text.indexOf(bracket); place !== -1; place = text.indexOf(bracket, place + 1)) if (++count > MAX_DEPTH) return true
  }
  return false
}
