import { isDeepStrictEqual } from 'node:util'
import { isJsonObject, type Json } from '../completion/json.ts'

/** A condition on the fields of a document. `and` of nothing is true, `or` of nothing is false. */
export type Filter =
  /** The field is this JSON value. */
  | { readonly eq: readonly [key: string, value: Json] }
  /** The field is greater: a number than a number, a string than a string (by UTF-16 units, which sorts ISO dates). */
  | { readonly gt: readonly [key: string, bound: number | string] }
  | { readonly lt: readonly [key: string, bound: number | string] }
  | { readonly and: readonly Filter[] }
  | { readonly or: readonly Filter[] }

/** Whether `document` meets `filter`. A field that is missing, or of another type than it is compared with, meets nothing. */
export function matchesFilter(document: unknown, filter: Filter): boolean {
  if ('and' in filter) return filter.and.every((part) => matchesFilter(document, part))
  if ('or' in filter) return filter.or.some((part) => matchesFilter(document, part))
  if ('eq' in filter) {
    const [key, expected] = filter.eq
    const value = fieldOf(document, key)
    return value === expected || isDeepStrictEqual(value, expected)
  }
  if ('gt' in filter) return isGreater(fieldOf(document, filter.gt[0]), filter.gt[1])
  return isGreater(filter.lt[1], fieldOf(document, filter.lt[0]))
}

function fieldOf(document: unknown, key: string): unknown {
  return isJsonObject(document) && Object.hasOwn(document, key) ? document[key] : undefined
}

function isGreater(left: unknown, right: unknown): boolean {
  if (typeof left === 'number' && typeof right === 'number') return left > right
  return typeof left === 'string' && typeof right === 'string' && left > right
}
