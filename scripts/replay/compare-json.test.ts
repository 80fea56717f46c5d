import { describe, expect, it } from 'vitest'
import { ABSENT, compareJson } from './compare-json.ts'

describe('a comparison of JSON', () => {
  it('takes no notice of the order of keys', () => {
    expect(compareJson({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 }, 'body')).toEqual([])
  })

  it('names each place that differs', () => {
    expect(compareJson({ a: [1, 2], b: 'x', c: null }, { a: [1, 3, 4], b: 'y' }, 'body')).toEqual([
      { path: 'body.a[1]', expected: 2, actual: 3 },
      { path: 'body.a[2]', expected: ABSENT, actual: 4 },
      { path: 'body.b', expected: 'x', actual: 'y' },
      { path: 'body.c', expected: null, actual: ABSENT },
    ])
  })

  it('tells a text from the number that it looks like', () => {
    expect(compareJson({ a: 1 }, { a: '1' }, 'body')).toHaveLength(1)
    expect(compareJson([], {}, 'body')).toHaveLength(1)
  })

  it('compares texts of arguments by what they hold', () => {
    expect(compareJson({ arguments: '{"a": 1, "b": 2}' }, { arguments: '{"b":2,"a":1}' }, 'body')).toEqual([])
    expect(compareJson({ arguments: '{"a":1}' }, { arguments: '{"a":2}' }, 'body')).toHaveLength(1)
    expect(compareJson({ arguments: 'null' }, { arguments: '{}' }, 'body')).toEqual([])
    expect(compareJson({ arguments: 'null' }, { arguments: '{"a":1}' }, 'body')).toHaveLength(1)
    expect(compareJson({ arguments: '{"a"' }, { arguments: '{"a" ' }, 'body')).toHaveLength(1)
    expect(compareJson({ text: '{"a": 1}' }, { text: '{"a":1}' }, 'body')).toHaveLength(1)
  })
})
