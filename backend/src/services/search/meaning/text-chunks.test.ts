import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chunkText, estimateTokens, type TextChunk } from './text-chunks.ts'

const ROOT = join(import.meta.dirname, '../../../../..')
const markdown = (text: string): readonly TextChunk[] => chunkText({ path: '/a.md', mime: 'text/markdown', text })
const code = (text: string): readonly TextChunk[] => chunkText({ path: '/a.ts', mime: 'text/plain', text })
const prose = (text: string): readonly TextChunk[] => chunkText({ path: '/a.txt', mime: 'text/plain', text })
/** So many words that they alone are about so many tokens. */
const words = (tokens: number): string => 'some words here '.repeat(Math.ceil(tokens / 4)).trim()

/** Lines as an editor numbers them. */
const linesOf = (text: string, { startLine, endLine }: TextChunk): string => text.split(/(?<=\n)/).slice(startLine - 1, endLine).join('')

function expectWhole(text: string, chunks: readonly TextChunk[]): void {
  expect(chunks.map(({ body }) => body).join('')).toBe(text)
  for (const chunk of chunks) {
    expect(linesOf(text, chunk)).toContain(chunk.body)
    expect(estimateTokens(chunk.body)).toBeLessThanOrEqual(500)
    expect(chunk.body.isWellFormed() || !text.isWellFormed()).toBe(true)
  }
  expect(chunks.every(({ startLine, endLine }, index) => endLine >= startLine && startLine >= (chunks[index - 1]?.startLine ?? 1))).toBe(true)
}

describe('Markdown', () => {
  it('is cut at its headings, and each chunk knows the headings above it', () => {
    const text = `# Guide\n\n${words(100)}\n\n## Install\n\n${words(250)}\n\n### On Linux\n\n${words(250)}\n\n## Use\n\n${words(250)}\n`
    expect(markdown(text).map(({ startLine, endLine, heading }) => [startLine, endLine, heading])).toEqual([
      [1, 4, 'Guide'],
      [5, 8, 'Guide > Install'],
      [9, 12, 'Guide > Install > On Linux'],
      [13, 15, 'Guide > Use'],
    ])
  })

  it('keeps a heading with what follows it, also where only headings follow each other', () => {
    const text = `${words(250)}\n\n# One\n\n## Two\n\n${words(250)}\n`
    expect(markdown(text).map(({ startLine, heading }) => [startLine, heading])).toEqual([[1, null], [3, 'One > Two']])
  })

  it('joins small sections with their neighbours', () => {
    const text = Array.from({ length: 12 }, (_, index) => `## Word ${index}\n\nWhat it means.\n\n`).join('')
    expect(markdown(text)).toHaveLength(1)
  })

  it.each([
    ['fenced code', ['```ts', ...Array.from({ length: 40 }, (_, index) => `const value${index} = make(${index})`), '', '# no heading', '```']],
    ['a list', Array.from({ length: 40 }, (_, index) => `- item number ${index}\n  goes on`)],
    ['a numbered list with blank lines', Array.from({ length: 20 }, (_, index) => `${index + 1}. item number ${index}\n\n   its second paragraph\n`)],
    ['a table', ['| name | value |', '|---|---|', ...Array.from({ length: 40 }, (_, index) => `| name ${index} | ${index} |`)]],
  ])('never cuts %s that fits into a chunk', (_what, block) => {
    const body = `${block.join('\n')}\n`
    expect(estimateTokens(body)).toBeGreaterThan(100)
    const text = `${words(250)}\n\n${body}\n${words(250)}\n`
    expect(markdown(text).filter((chunk) => chunk.body.includes(body))).toHaveLength(1)
    expectWhole(text, markdown(text))
  })

  it('cuts a list and a fence that do not fit between their lines', () => {
    const text = `${Array.from({ length: 400 }, (_, index) => `- item number ${index} of a long list`).join('\n')}\n`
    expect(markdown(text).every(({ body }) => body.startsWith('- item') && body.endsWith('\n'))).toBe(true)
    expectWhole(text, markdown(text))
  })

  it('takes underlined headings, closing hashes and front matter for what they are', () => {
    const text = `---\ntitle: x\n# a comment\n---\nTitle\n=====\n\n${words(250)}\n\n## \`Part\` two ##\n\n${words(250)}\n`
    expect(markdown(text).map(({ startLine, heading }) => [startLine, heading])).toEqual([[1, null], [10, 'Title > Part two']])
  })

  it('does not take a fence without an end, or a heading inside one, for more than it is', () => {
    const text = `# A\n\n~~~\n# b\n${words(50)}\n`
    expect(markdown(text)).toMatchObject([{ heading: 'A', startLine: 1, endLine: 5 }])
  })
})

describe('code', () => {
  const body = (name: string): string => `/** What ${name} does. */\nfunction ${name}() {\n${Array.from({ length: 20 }, (_, index) => `  call${index}(${index})\n${index === 9 ? '\n' : ''}`).join('')}}\n`

  it('is cut between its top-level blocks, a comment staying with what it describes', () => {
    const text = `${['one', 'two', 'three', 'four', 'five'].map(body).join('\n')}`
    const chunks = code(text)
    expect(chunks.length).toBeGreaterThan(1)
    for (const chunk of chunks) expect(chunk.body).toMatch(/^\/\*\* What/)
    expectWhole(text, chunks)
  })

  it('is cut between the members of a class that is too large', () => {
    const method = (name: string): string => `  ${name}() {\n${`    this.step(1)\n`.repeat(30)}  }\n`
    const text = `class Big {\n${['a', 'b', 'c', 'd', 'e', 'f'].map(method).join('\n')}}\n`
    const chunks = code(text)
    expect(chunks.length).toBeGreaterThan(2)
    for (const chunk of chunks.slice(1)) expect(chunk.body).toMatch(/^ {2}\w\(\) \{\n/)
    expectWhole(text, chunks)
  })

  it('without blank lines or indentation is cut between lines', () => {
    const text = 'x = 1\n'.repeat(2_000)
    expectWhole(text, code(text))
  })
})

describe('any text', () => {
  it('keeps paragraphs whole', () => {
    const paragraphs = Array.from({ length: 20 }, (_, index) => `Paragraph ${index}. ${words(80)}\n\n`)
    expect(prose(paragraphs.join('')).every(({ body }) => /^Paragraph/.test(body) && body.endsWith('\n\n'))).toBe(true)
  })

  it('that is one huge line is cut between words, or anywhere but inside a letter', () => {
    for (const text of [words(20_000), 'x'.repeat(50_000), '😀'.repeat(20_000), '漢字'.repeat(10_000), `a${'😀'.repeat(9_000)}`]) {
      expectWhole(text, prose(text))
      expect(prose(text).every(({ startLine, endLine }) => startLine === 1 && endLine === 1)).toBe(true)
    }
  })

  it('that is empty has no chunks', () => {
    expect(prose('')).toEqual([])
  })

  it('gives the same chunks again around a change in its middle', () => {
    const text = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8')
    const before = new Set(markdown(text).map(({ body }) => body))
    const after = markdown(text.replace('**Locks** are taken', '**Locks** are always taken'))
    expect(after.filter(({ body }) => !before.has(body))).toHaveLength(1)
  })

  it.each(['README.md', 'docs/architecture.md', 'docs/rest-api.md', 'backend/src/container.ts', 'backend/src/db/schema.ts', 'package.json', 'eslint.config.js'])('such as %s is all there', (path) => {
    const text = readFileSync(join(ROOT, path), 'utf8')
    expectWhole(text, chunkText({ path: `/${path}`, mime: 'text/plain', text }))
  })

  it('of random pieces is all there, with the lines that it stands in (2,000 texts)', () => {
    const random = seeded(20_261_129)
    const parts = ['# H\n', '## Two ##\n', 'Title\n---\n', '```\n', '~~~\n', '- a\n', '1. b\n', '  c\n', '\tif (x) {\n', '}\n', '\n', '\r\n', '| a | b |\n', '---\n', 'é😀\n', ' ', '漢', '#', words(30), `${words(90)}\n`, 'x'.repeat(700), '\u2028', '\0', '\uD800']
    for (let round = 0; round < 2_000; round++) {
      const text = Array.from({ length: Math.floor(random() * 60) }, () => parts[Math.floor(random() * parts.length)] ?? '').join('')
      for (const path of ['/a.md', '/a.ts', '/a.txt']) expectWhole(text, chunkText({ path, mime: 'text/plain', text }))
    }
  })

  it.each([
    ['blanks', '#'.padEnd(300_000, ' ') + 'x'],
    ['hashes', `# ${' #'.repeat(150_000)}x`],
    ['brackets', `${')'.repeat(300_000)}x`],
    ['nesting', Array.from({ length: 5_000 }, (_, depth) => `${' '.repeat(Math.min(depth, 200))}{\n`).join('')],
    ['list items', '- a\n'.repeat(80_000)],
    ['fences', '```\n'.repeat(80_000)],
  ])('made to be slow, of %s, takes no longer than its size', (_what, text) => {
    const started = performance.now()
    for (const path of ['/a.md', '/a.ts', '/a.txt']) expect(chunkText({ path, mime: 'text/plain', text }).length).toBeGreaterThan(0)
    expect(performance.now() - started).toBeLessThan(3_000)
  })
})

/** Numbers from 0 to 1, the same ones each time (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
