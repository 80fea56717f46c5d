import { applyPatch } from 'diff'
import { describe, expect, it } from 'vitest'
import { matchLines, unifiedDiff } from './unified-diff.ts'

const side = (text: string, label = 'version 1') => ({ name: 'a.txt', label, text })
const diff = (from: string, to: string, time?: { quickMs: number; patientMs: number }) => unifiedDiff(side(from), side(to, 'version 2'), time)
const NO_TIME = { quickMs: -1, patientMs: -1 }

/** Numbers from 0 to 1 that are the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
}

describe('the difference between two texts', () => {
  it('is a unified patch with three lines of context and the names of both versions', async () => {
    const before = ['1', '2', '3', '4', '5', '6', '7', '8', '9', ''].join('\n')
    expect(await diff(before, before.replace('5', 'five\nand more'))).toEqual({
      diff: '--- a/a.txt\tversion 1\n+++ b/a.txt\tversion 2\n@@ -2,7 +2,8 @@\n 2\n 3\n 4\n-5\n+five\n+and more\n 6\n 7\n 8\n',
      added: 2,
      removed: 1,
      minimal: true,
    })
  })

  it('is empty between equal texts', async () => {
    expect(await diff('same', 'same')).toEqual({ diff: '', added: 0, removed: 0, minimal: true })
  })

  it('says which side has no line break at its end', async () => {
    expect((await diff('a\nb', 'a\nb\n')).diff).toContain('-b\n\\ No newline at end of file\n+b\n')
  })

  it('keeps CRLF, tabs, signs and empty lines, so that the patch gives the exact bytes', async () => {
    const [before, after] = ['a\r\n\tb\r\n--- c\n+d\n\n', 'a\r\n\tB\r\n--- c\n\n+d\n\n\n']
    expect(applyPatch(before, (await diff(before, after)).diff, { autoConvertLineEndings: false })).toBe(after)
  })

  it('of texts too different to compare in time says so, and applies all the same', async () => {
    const text = (word: string) => `first\nsecond\nthird\nfourth\n${Array.from({ length: 50 }, (_, line) => `${word} ${line}`).join('\n')}\nlast\nline`
    const found = await diff(text('old'), text('new'), NO_TIME)
    expect(found).toMatchObject({ minimal: false, added: 50, removed: 50 })
    expect(applyPatch(text('old'), found.diff)).toBe(text('new'))
    expect(found.diff.split('\n')[3]).toBe(' second')
  })

  it('applies for random texts, whether it was found in time or not', async () => {
    const random = randomNumbers(5)
    const words = ['a', 'b', 'c', '', 'a\r']
    const text = (): string => Array.from({ length: Math.floor(random() * 12) }, () => words[Math.floor(random() * words.length)] ?? '').join('\n') + (random() < 0.5 ? '\n' : '')
    for (let round = 0; round < 300; round += 1) {
      const [before, after] = [text(), text()]
      for (const time of [undefined, NO_TIME]) {
        const found = await diff(before, after, time)
        expect(found.diff === '' ? before : applyPatch(before, found.diff, { autoConvertLineEndings: false }), JSON.stringify([before, after, found])).toBe(after)
      }
    }
  })

  it('does not hold up others for long, however different large texts are', { timeout: 20_000 }, async () => {
    const text = (word: string) => Array.from({ length: 20_000 }, (_, line) => `${word} ${(line * 7919) % 20_011}`).join('\n')
    let longest = 0
    let last = performance.now()
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 5)
    const found = await diff(text('old'), text('new'), { quickMs: 100, patientMs: 800 })
    clearInterval(timer)
    expect(found.minimal).toBe(false)
    expect(longest).toBeLessThan(1_500)
  })
})

describe('matching lines', () => {
  it('finds for each line the one that it was', () => {
    expect(matchLines(['a', 'b', 'c', 'd'], ['x', 'a', 'c', 'y', 'd'], 1_000)).toEqual([-1, 0, 2, -1, 3])
    expect(matchLines([], ['a'], 1_000)).toEqual([-1])
    expect(matchLines(['a'], [], 1_000)).toEqual([])
    expect(matchLines(['a', 'a'], ['a', 'a', 'a'], 1_000)?.filter((index) => index >= 0)).toEqual([0, 1])
  })
})
