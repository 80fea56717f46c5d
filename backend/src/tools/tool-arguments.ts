/**
 * The kinds of argument that tools take. Models write `"10"` for 10 and `null` for what they leave out, so both are understood;
 * the JSON Schema that they are shown stays plain: a type, a description, `null` where the argument may be absent.
 */
import { z } from 'zod'

const INTEGER_TEXT = /^\s*[+-]?\d{1,15}\s*$/
const FLAGS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([[1, true], [0, false], ['1', true], ['0', false], ['true', true], ['false', false]])

/** Longest pattern or path that a tool looks at, in UTF-16 units; what a path may be is decided by `parsePath`. */
const SHORT_TEXT_LIMIT = 4096

/** The object of a tool's arguments: others than the named ones are refused. */
export function toolArguments<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape)
}

/** A path, a pattern or another short text that must be given. */
export function shortText(description: string) {
  return z.string().max(SHORT_TEXT_LIMIT).describe(description)
}

/** Text of any length that must be given. */
export function longText(description: string) {
  return z.string().describe(description)
}

/** Text that may be absent: then `undefined`. */
export function optionalText(description: string) {
  return z.string().nullish().transform((value) => value ?? undefined).describe(description)
}

/** One of `values`. */
export function choice<const Values extends readonly [string, ...string[]]>(values: Values, description: string) {
  return z.enum(values).describe(description)
}

/** One of `values`, or absent: then `undefined`. */
export function optionalChoice<const Values extends readonly [string, ...string[]]>(values: Values, description: string) {
  return z.enum(values).nullish().transform((value) => value ?? undefined).describe(description)
}

/** True or false; `standard` when absent. Also understands 0, 1 and these words as text. */
export function flag(description: string, standard = false) {
  return z.preprocess(toFlag, z.boolean().nullish().transform((value) => value ?? standard)).describe(`${description} Default ${standard}.`)
}

/** A whole number ≥ `min`, or absent: then `undefined`. Also understands digits as text. */
export function optionalInteger(description: string, { min }: { readonly min?: number } = {}) {
  const integer = min === undefined ? z.int() : z.int().min(min)
  return z.preprocess(toInteger, integer.nullish().transform((value) => value ?? undefined)).describe(description)
}

/** The `limit` of a list: how many items at most, 0 for all that fit into one result. */
export function limit(items: string, standard: number) {
  const description = `Return at most this many ${items}; 0 returns all that fit into one result. Default ${standard}.`
  return z.preprocess(toInteger, z.int().min(0).nullish().transform((value) => value ?? standard)).describe(description)
}

/** A list of short texts, such as paths. Understands a single text, and a list that was written as text. */
export function textList(description: string, { max }: { readonly max: number }) {
  return z.preprocess(toList, z.array(z.string().max(SHORT_TEXT_LIMIT)).min(1).max(max)).describe(description)
}

/** The same, or absent: then `undefined`. */
export function optionalTextList(description: string, { max }: { readonly max: number }) {
  return z.preprocess(toList, z.array(z.string().max(SHORT_TEXT_LIMIT)).max(max).nullish().transform((value) => value ?? undefined)).describe(description)
}

/** A list of objects, each with the arguments in `shape` and no others. Understands a single object, and a list that was written as text. */
export function objectList<Shape extends z.ZodRawShape>(shape: Shape, { description, max }: { readonly description: string; readonly max: number }) {
  return z.preprocess(toList, z.array(toolArguments(shape)).min(1).max(max)).describe(description)
}

function toFlag(value: unknown): unknown {
  const key = typeof value === 'string' ? value.trim().toLowerCase() : value
  return FLAGS.get(key) ?? value
}

function toInteger(value: unknown): unknown {
  return typeof value === 'string' && INTEGER_TEXT.test(value) ? Number(value) : value
}

/** One item stands for a list of one. Text is a list when it reads as one: a name such as `[id].tsx` does not. */
function toList(value: unknown): unknown {
  if (value === null || value === undefined || Array.isArray(value)) return value
  const read = typeof value === 'string' ? readJson(value) : value
  return Array.isArray(read) ? read : [isObject(read) ? read : value]
}

function readJson(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined // it only looked like JSON: then it is the text itself
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
