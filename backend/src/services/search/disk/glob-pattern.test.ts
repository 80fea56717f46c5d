import { describe, expect, it } from 'vitest'
import { globBase, globMatcher, isGlob } from './glob-pattern.ts'

describe('a glob pattern', () => {
  it.each([
    ['*.ts', ['/a.ts', '/x/b.ts', '/.c.ts'], ['/a.tsx', '/a.ts/b']],
    ['/*.ts', ['/a.ts', '/x/b.ts'], ['/a.js']],
    ['src/*.ts', ['/src/a.ts'], ['/src/x/a.ts', '/lib/src/a.ts', '/src2/a.ts']],
    ['./src/a?.ts', ['/src/ab.ts', '/src/a👍.ts'], ['/src/a.ts']],
    ['**/test/**', ['/test/a', '/x/test/y/z'], ['/tests/a', '/atest/b']],
    ['src/**/a.ts', ['/src/a.ts', '/src/x/y/a.ts'], ['/a.ts', '/src/xa.ts']],
    ['a**b', ['/ab', '/axxb'], ['/a/b']],
    ['[a-c]x', ['/ax', '/cx'], ['/dx', '/[a-c]x']],
    ['[!a-c]x', ['/dx'], ['/ax', '/x']],
    ['[]]x', ['/]x'], ['/x']],
    ['a[', ['/a['], ['/a']],
    ['\\[id\\].tsx', ['/[id].tsx'], ['/i.tsx']],
    ['{a,b{c,d}}.md', ['/a.md', '/bc.md', '/bd.md'], ['/b.md', '/{a.md']],
    ['{a}.md', ['/{a}.md'], ['/a.md']],
    ['\\{a,b\\}', ['/{a,b}'], ['/a']],
    ['!a', ['/!a'], ['/a', '/b']],
    ['grüße*', ['/grüße.md', '/gr\u00fc\u00dfe'], ['/grusse']],
    ['docs/', ['/docs/a', '/docs/b/c'], ['/docs', '/docs2/a']],
  ])('%s', (pattern, matching, others) => {
    const matches = globMatcher(pattern)
    expect(matching.filter((path) => !matches(path))).toEqual([])
    expect(others.filter((path) => matches(path))).toEqual([])
  })

  it('is relative to the folder that it is given with, whatever characters that has', () => {
    const matches = globMatcher('*.ts', '/src/[id]')
    expect(matches('/src/[id]/a.ts')).toBe(true)
    expect(matches('/src/i/a.ts')).toBe(false)
    expect(matches('/src/[id]x/a.ts')).toBe(false)
  })

  it('takes no longer for patterns that make a regular expression hang', () => {
    const matches = globMatcher(`${'*a'.repeat(300)}b`)
    const startedAt = performance.now()
    expect(matches(`/${'a'.repeat(255)}`)).toBe(false)
    expect(globMatcher('**/a/'.repeat(100) + 'b')(`/${'a/'.repeat(500)}c`)).toBe(false)
    expect(performance.now() - startedAt).toBeLessThan(1000)
  })

  it('says in which folder its matches lie', () => {
    expect(globBase('src/lib/*.ts')).toBe('/src/lib')
    expect(globBase('/src/**/x/*.ts')).toBe('/src')
    expect(globBase('*.ts')).toBe('/')
    expect(globBase('src/main.ts')).toBe('/src')
    expect(isGlob('src/main.ts')).toBe(false)
    expect(isGlob('[id].tsx')).toBe(true)
  })
})
