import { describe, expect, it } from 'vitest'
import { markdownLinks } from './markdown-links.ts'

const links = (text: string): readonly string[] => markdownLinks(text).map(({ kind, target, text: shown, line }) => `${line} ${kind} ${target} (${shown})`)

describe('the links of a Markdown text', () => {
  it('are wiki links, embeds, links, images, references and addresses, in their order', () => {
    const text = [
      'See [[Plan]] and [[docs/Plan#Goals|the *goals*]], then ![[chart.png]].',
      'A [link](b%20c.md "title") and ![a picture](img/x.png), a [**bold** one][ref], [ref] and <https://a.b/c>.',
      '',
      '[ref]: /abs/path.md#part',
    ].join('\n')
    expect(links(text)).toEqual([
      '1 wiki Plan (Plan)',
      '1 wiki docs/Plan#Goals (the *goals*)',
      '1 embed chart.png (chart.png)',
      '2 link b%20c.md (link)',
      '2 image img/x.png (a picture)',
      '2 link /abs/path.md#part (bold one)',
      '2 link /abs/path.md#part (ref)',
      '2 url https://a.b/c (https://a.b/c)',
    ])
  })

  it('are none in code, whatever kind of code', () => {
    const text = ['`[[a]] [b](c)`', '', '```', '[[d]]', '', 'and [e](f)', '```', '', '    [[g]] [h](i)', '', '- x', '', '  ~~~md', '  [[j]]', '', '  [[k]]', '  ~~~', '', '[[real]] \\[[escaped]] `a` [[also]]'].join('\n')
    expect(links(text)).toEqual(['19 wiki real (real)', '19 wiki also (also)'])
  })

  it('are found in lists, quotes, tables and headings, with their lines', () => {
    const text = ['# About [[a]]', '', '- one', '', '  [[b]]', '  - [c](c.md)', '', '> [[d]]', '', '| x | y |', '|---|---|', '| [[e\\|f]] | [g](g.md) |', '', '1. [h](h.md)', ''].join('\n')
    expect(links(text)).toEqual(['1 wiki a (a)', '5 wiki b (b)', '6 link c.md (c)', '8 wiki d (d)', '12 wiki e (f)', '12 link g.md (g)', '14 link h.md (h)'])
  })

  it('know lines of texts with CRLF, and what stands after a fence that never ends is code', () => {
    expect(links('a\r\n\r\n[b](b.md)\r\n\r\n[[c]]\r\n')).toEqual(['3 link b.md (b)', '5 wiki c (c)'])
    expect(links('[[a]]\n\n```js\n[[b]]\n\n[[c]]\n')).toEqual(['1 wiki a (a)'])
  })

  it.each([
    ['half of a wiki link', '[[a] and [[ b | and [[c\n]]'],
    ['empty ones', '[[]] [](<>) ![]() [[|x]]'],
    ['a task list', '- [ ] todo\n- [x] done'],
    ['an index', 'a[0] = b[1][c]'],
  ])('are not %s', (_, text) => {
    expect(links(text)).toEqual([])
  })

  it.each([
    ['brackets', '['.repeat(300_000)],
    ['wiki brackets', '[['.repeat(150_000)],
    ['lines of brackets', '[a](\n\n'.repeat(50_000)],
    ['emphasis', '*a_'.repeat(100_000)],
    ['quotes', '> '.repeat(150_000)],
    ['definitions', Array.from({ length: 20_000 }, (_, index) => `[l${index}]: /x${index}\n\n[l${index}]`).join('\n\n')],
  ])('take no longer than texts of that size may: %s', (_, text) => {
    const startedAt = performance.now()
    expect(markdownLinks(text).length).toBeLessThanOrEqual(2_000)
    expect(performance.now() - startedAt).toBeLessThan(8_000)
  })
})
