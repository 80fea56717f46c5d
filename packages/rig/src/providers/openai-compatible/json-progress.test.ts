import { describe, expect, it } from 'vitest'
import { JsonProgress } from './json-progress.ts'

function isWhole(...pieces: readonly string[]): boolean {
  const progress = new JsonProgress()
  for (const piece of pieces) progress.push(piece)
  return progress.isWhole
}

describe('A JSON text in pieces', () => {
  it.each(['{}', ' { "a" : [1, {"b": "}"}] } ', '{"a":"\\"}"}', '"{\\"a\\":1}"', '[]'])('is whole when all of it has come: %s', (text) => {
    expect([isWhole(text), isWhole(...text)]).toEqual([true, true])
  })

  it.each(['', '{', '{"a":{}', '{"a":"}', '"abc', '{"a":"\\'])('is not whole before: %s', (text) => {
    expect([isWhole(text), isWhole(...text)]).toEqual([false, false])
  })

  it('is whole no more when something follows, and cannot become it again', () => {
    expect([isWhole('{}', 'x'), isWhole('{}', '{}'), isWhole('{}', ' \n')]).toEqual([false, false, true])
  })
})
