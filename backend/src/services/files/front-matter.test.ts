import { describe, expect, it } from 'vitest'
import { joinFrontMatter, setFrontMatter, splitFrontMatter } from './front-matter.ts'

const split = (text: string) => {
  const result = splitFrontMatter(text)
  if ('error' in result) throw new Error(JSON.stringify(result.error))
  return result
}
const errorOf = (text: string) => {
  const result = splitFrontMatter(text)
  return 'error' in result ? result.error : undefined
}

describe('splitFrontMatter', () => {
  it('gives the data, the body as it stands, and the line in which the body begins', () => {
    expect(split('---\nname: a\ntags: [x, y]\n---\n\n# Title\n---\nmore')).toMatchObject({ data: { name: 'a', tags: ['x', 'y'] }, body: '\n# Title\n---\nmore', bodyLine: 5 })
  })

  it.each([
    ['a byte order mark', '\uFEFF---\nname: a\n---\nbody'],
    ['CRLF', '---\r\nname: a\r\n---\r\nbody'],
    ['spaces behind the dashes', '---  \nname: a\n---\t\nbody'],
  ])('is tolerant of %s', (_, text) => {
    expect(split(text)).toMatchObject({ data: { name: 'a' }, body: 'body', bodyLine: 4 })
  })

  it('keeps CRLF in the body, and takes it out of values of several lines', () => {
    expect(split('---\r\ntext: |\r\n  one\r\n  two\r\n---\r\na\r\nb')).toMatchObject({ data: { text: 'one\ntwo\n' }, body: 'a\r\nb' })
  })

  it('tells a file without front matter from one with an empty one', () => {
    expect(split('# Title\n---\n')).toMatchObject({ data: undefined, body: '# Title\n---\n', bodyLine: 1 })
    expect(split('')).toMatchObject({ data: undefined, body: '' })
    expect(split('---\n---\n')).toMatchObject({ data: null, body: '', bodyLine: 3 })
  })

  it.each([
    ['no closing line', '---\nname: a\n', { line: 1, column: 1, message: 'The front matter that begins here has no closing line "---".' }],
    ['a key twice', '---\nname: a\nsize: 1\nname: b\n---\n', { line: 4, column: 1, message: 'Map keys must be unique.' }],
    ['a colon within a value', '---\nname: a\ndescription: does this: and that\n---\n', { line: 3, column: 14 }],
    ['an open bracket', '---\nname: a\ntools: [read, write\nmodel: x\n---\n', { line: 4 }],
    ['a tab as indentation', '---\nmeta:\n\tkey: 1\n---\n', { line: 3 }],
    ['a tag', '---\nname: a\nrun: !!js/function "() => 1"\n---\n', { line: 3, column: 6 }],
    ['a known tag', '---\nname: a\nkeys: !!set {a, b}\n---\n', { line: 3, column: 7 }],
    ['an alias', '---\na: &x [1]\nb: [*x, *x]\n---\n', { line: 2 }],
    ['an alias of nothing', '---\ntools: *\n---\n', { line: 2, column: 8, message: 'Anchors and aliases ("&", "*") are not understood here: write the value out, or put quotes around it.' }],
    ['a key that is a list', '---\n[a, b]: 1\n---\n', { line: 2 }],
  ])('reports %s with the line and column of the file', (_, text, place) => {
    expect(errorOf(text)).toMatchObject(place)
    expect(errorOf(text.replaceAll('\n', '\r\n'))).toMatchObject({ line: place.line })
  })

  it('refuses what is too large or too deep quickly, instead of falling over', () => {
    const started = performance.now()
    expect(errorOf(`---\ntext: ${'x'.repeat(17_000)}\n---\n`)).toMatchObject({ line: 2, message: expect.stringContaining('16384') as string })
    expect(errorOf(`---\nname: a\ndeep: ${'['.repeat(15_000)}\n---\n`)).toMatchObject({ line: 3, message: expect.stringContaining('32 levels') as string })
    expect(errorOf(`---\n${Array.from({ length: 150 }, (_, index) => `${' '.repeat(index)}a:`).join('\n')}\n---\n`)).toMatchObject({ message: expect.stringContaining('32 levels') as string })
    for (const opening of ['- ', '? ', '- ? ', '-\t']) expect(errorOf(`---\nname: a\n${opening.repeat(4_000)}\n---\n`)).toMatchObject({ line: 3, message: expect.stringContaining('32 levels') as string })
    expect(split(`---\n${Array.from({ length: 1_500 }, (_, index) => `k${index}: 1`).join('\n')}\n---\n`).data).toMatchObject({ k1499: 1 })
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  it('takes data only: what looks like a prototype is a key, dates and "yes" are text', () => {
    const { data } = split('---\n__proto__: {polluted: true}\nday: 2026-11-29\nanswer: yes\n---\n')
    expect(Object.keys(data as object)).toEqual(['__proto__', 'day', 'answer'])
    expect(data).toMatchObject({ day: '2026-11-29', answer: 'yes' })
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it('tells where a value stands, and of a missing one where it would belong', () => {
    const { at } = split('\uFEFF---\n# a comment\nname: a\ntools:\n  - read\n  - wirte\nmeta: {x: {y: 1}}\n---\n')
    expect([at(['name']), at(['tools']), at(['tools', 1]), at(['meta', 'x', 'y']), at(['model']), at(['meta', 'z'])].map((place) => place.line)).toEqual([3, 4, 6, 7, 3, 7])
    expect(at(['tools', 1])).toEqual({ line: 6, column: 5 })
  })
})

describe('joinFrontMatter', () => {
  it('writes what splitFrontMatter reads, in the line ends of the body', () => {
    const data = { name: 'a', text: 'line: one\n"two"', list: [1, true, null], empty: '', star: '*' }
    for (const body of ['# Title\n', 'a\r\nb', '', '---\nx']) {
      const text = joinFrontMatter(data, body)
      expect(split(text)).toMatchObject({ data, body })
      expect(text.includes('\r')).toBe(body.includes('\r'))
    }
  })
})

describe('setFrontMatter', () => {
  it('sets keys and leaves everything else as it is: comments, order, other keys, quotes, the body', () => {
    const text = '---\n# mine\ntitle: "a: b" # why\nstatus: draft\nowner: Ada\n---\n\nbody\n---\nmore'
    expect(setFrontMatter(text, { set: { status: 'done', updated_at: '2026-11-29T00:00:00Z' } })).toBe(
      '---\n# mine\ntitle: "a: b" # why\nstatus: done\nowner: Ada\nupdated_at: 2026-11-29T00:00:00Z\n---\n\nbody\n---\nmore',
    )
  })

  it.each([
    ['CRLF and a byte order mark', '\uFEFF---\r\na: 1\r\n---\r\nx\r\n', '\uFEFF---\r\na: 2\r\n---\r\nx\r\n'],
    ['an empty front matter', '---\n---\nx', '---\na: 2\n---\nx'],
    ['none', 'x\n---\n', '---\na: 2\n---\nx\n---\n'],
    ['nothing at all', '', '---\na: 2\n---\n'],
  ])('understands %s', (_, before, after) => {
    expect(setFrontMatter(before, { set: { a: 2 } })).toBe(after)
  })

  it('gives the text another body', () => {
    expect(setFrontMatter('---\na: 1\n---\nold', { set: {}, body: 'new' })).toBe('---\na: 1\n---\nnew')
  })

  it('answers with the fault of a front matter that it cannot change', () => {
    expect(setFrontMatter('---\na: [\n---\n', { set: { a: 2 } })).toMatchObject({ error: { line: 2 } })
    expect(setFrontMatter('---\n- a\n---\n', { set: { a: 2 } })).toMatchObject({ error: { line: 2 } })
  })
})
