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

/** One of `values`, or absent: then `undefined`. */
export function optionalChoice<const Values extends readonly [string, ...string[]]>(values: Values, description: string) {
  return z.enum(values).nullish().transform((value) => value ?? undefined).describe(description)
}

/** True or false; false when absent. Also understands 0, 1 and these words as text. */
export function flag(description: string) {
  return z.preprocess(toFlag, z.boolean().nullish().transform((value) => value ?? false)).describe(`${description} Default false.`)
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

function toFlag(value: unknown): unknown {
  const key = typeof value === 'string' ? value.trim().toLowerCase() : value
  return FLAGS.get(key) ?? value
}

function toInteger(value: unknown): unknown {
  return typeof value === 'string' && INTEGER_TEXT.test(value) ? Number(value) : value
}
