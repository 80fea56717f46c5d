import { describe, expect, it } from 'vitest'
import { nameKey, resolveLink } from './link-target.ts'
import type { LinkKind } from './markdown-links.ts'

const PATHS = ['/README.md', '/docs/a.md', '/docs', '/docs/Plan.md', '/docs/plan b.md', '/docs/img/x.png', '/docs/100%.md', '/docs/deep/Notes.md', '/other/Notes.md', '/other/deep/Plan.md', '/Grüße.md', '/docs/v1.2']

function resolve(target: string, { kind = 'link', source = '/docs/a.md' }: { readonly kind?: LinkKind; readonly source?: string } = {}): string | null {
  return resolveLink({ kind, target, source }, { has: (path) => PATHS.includes(path), named: (key) => PATHS.filter((path) => nameKey(path) === key) })
}

describe('a Markdown link', () => {
  it.each([
    ['Plan.md', '/docs/Plan.md'],
    ['./Plan.md', '/docs/Plan.md'],
    ['Plan', '/docs/Plan.md'],
    ['../README.md', '/README.md'],
    ['/README.md', '/README.md'],
    ['plan%20b.md', '/docs/plan b.md'],
    ['100%.md', '/docs/100%.md'],
    ['Plan.md#goals', '/docs/Plan.md'],
    ['Plan.md?raw=1#x', '/docs/Plan.md'],
    ['#here', '/docs/a.md'],
    ['img/x.png', '/docs/img/x.png'],
    ['../docs/', '/docs'],
    ['v1.2', '/docs/v1.2'],
    ['/Gru%CC%88%C3%9Fe.md', '/Grüße.md'],
    ['plan.md', null],
    ['Notes.md', null],
    ['../../README.md', null],
    ['a\\Plan.md', null],
    ['%00', null],
    [`${'x'.repeat(2_000)}.md`, null],
  ])('to %s leads to %s', (target, path) => {
    expect(resolve(target)).toBe(path)
  })

  it('with a scheme leads out', () => {
    expect(resolve('https://a.b/README.md', { kind: 'url' })).toBeNull()
  })
})

describe('a wiki link', () => {
  it.each([
    ['Plan', '/docs/a.md', '/docs/Plan.md'],
    ['plan', '/docs/a.md', '/docs/Plan.md'],
    ['Plan#Goals', '/docs/a.md', '/docs/Plan.md'],
    ['#Goals', '/docs/a.md', '/docs/a.md'],
    ['plan b', '/x/y.md', '/docs/plan b.md'],
    ['Notes', '/docs/a.md', '/docs/deep/Notes.md'],
    ['Notes', '/other/deep/a.md', '/other/Notes.md'],
    ['Notes', '/a.md', '/other/Notes.md'],
    ['deep/Plan', '/docs/a.md', '/other/deep/Plan.md'],
    ['deep/Notes', '/other/a.md', '/docs/deep/Notes.md'],
    ['docs/Plan', '/other/a.md', '/docs/Plan.md'],
    ['/docs/Plan', '/other/a.md', '/docs/Plan.md'],
    ['../README', '/docs/a.md', '/README.md'],
    ['x.png', '/README.md', '/docs/img/x.png'],
    ['100%', '/README.md', '/docs/100%.md'],
    ['eep/Plan', '/docs/a.md', null],
    ['nothing', '/docs/a.md', null],
  ])('to %s in %s leads to %s', (target, source, path) => {
    expect(resolve(target, { kind: 'wiki', source })).toBe(path)
  })
})
