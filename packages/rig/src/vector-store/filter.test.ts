import { describe, expect, it } from 'vitest'
import { matchesFilter, type Filter } from './filter.ts'

const document = { kind: 'cat', age: 3, born: '2024-05-01', tags: ['a', { b: 1 }], owner: null, 'a.b': true }

describe('a filter', () => {
  it.each<[Filter, boolean]>([
    [{ eq: ['kind', 'cat'] }, true],
    [{ eq: ['kind', 'dog'] }, false],
    [{ eq: ['age', '3'] }, false],
    [{ eq: ['tags', ['a', { b: 1 }]] }, true],
    [{ eq: ['tags', ['a', { b: 2 }]] }, false],
    [{ eq: ['owner', null] }, true],
    [{ eq: ['a.b', true] }, true],
    [{ eq: ['missing', null] }, false],
    [{ gt: ['age', 2] }, true],
    [{ gt: ['age', 3] }, false],
    [{ lt: ['age', 4] }, true],
    [{ lt: ['age', 3] }, false],
    [{ gt: ['born', '2024-04-30'] }, true],
    [{ lt: ['born', '2024-04-30'] }, false],
    [{ gt: ['born', 1] }, false],
    [{ lt: ['missing', 1] }, false],
    [{ and: [{ eq: ['kind', 'cat'] }, { gt: ['age', 2] }] }, true],
    [{ and: [{ eq: ['kind', 'cat'] }, { gt: ['age', 3] }] }, false],
    [{ or: [{ eq: ['kind', 'dog'] }, { and: [{ lt: ['age', 9] }] }] }, true],
    [{ or: [{ eq: ['kind', 'dog'] }, { gt: ['age', 9] }] }, false],
    [{ and: [] }, true],
    [{ or: [] }, false],
  ])('%j is met: %s', (filter, expected) => {
    expect(matchesFilter(document, filter)).toBe(expected)
  })

  it('is met by nothing that has no such field of its own', () => {
    for (const value of ['cat', 3, null, undefined, ['c', 'a', 't'], Object.create({ length: 3 })]) expect(matchesFilter(value, { eq: ['length', 3] })).toBe(false)
  })
})
