import { isList, isObject, parseJson, type Json } from './json.ts'

/** One difference between what was recorded and what the runtime did. */
export interface Difference {
  /** Where: `body.input[1].call_id`. */
  readonly path: string
  readonly expected: Json
  readonly actual: Json
}

/** Stands for a value that is not there, which JSON cannot say. */
export const ABSENT = '(absent)'

/** Every difference, by path. The order of keys does not count; texts of tool arguments are compared as the JSON that they hold, `null` being none. */
export function compareJson(expected: Json | undefined, actual: Json | undefined, path: string): readonly Difference[] {
  if (expected === undefined) return actual === undefined ? [] : [{ path, expected: ABSENT, actual }]
  if (actual === undefined) return [{ path, expected, actual: ABSENT }]
  if (isList(expected) && isList(actual)) return compareLists(expected, actual, path)
  if (isObject(expected) && isObject(actual)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)])
    return [...keys].flatMap((key) => compareJson(expected[key], actual[key], `${path}.${key}`))
  }
  return isSame(expected, actual, path) ? [] : [{ path, expected, actual }]
}

function compareLists(expected: readonly Json[], actual: readonly Json[], path: string): readonly Difference[] {
  const length = Math.max(expected.length, actual.length)
  return Array.from({ length }, (_, index) => index).flatMap((index) => compareJson(expected[index], actual[index], `${path}[${index}]`))
}

function isSame(expected: Json, actual: Json, path: string): boolean {
  if (expected === actual) return true
  if (!path.endsWith('.arguments') || typeof expected !== 'string' || typeof actual !== 'string') return false
  const [left, right] = [parseJson(expected), parseJson(actual)]
  return left !== undefined && right !== undefined && compareJson(left ?? {}, right ?? {}, 'value').length === 0
}
