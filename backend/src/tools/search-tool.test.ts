import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ToolWorkspace, ToolWorkspaces } from '../../test/support/tool-workspace.ts'
import { jsonBytes, RESULT_LIMIT_BYTES } from './result-limit.ts'

interface SearchOutput {
  readonly hits: readonly { readonly path: string; readonly line: number; readonly excerpt: string; readonly found_by: readonly string[] }[]
  readonly truncated: boolean
  readonly notice: string | null
}

let workspaces: ToolWorkspaces
beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
afterAll(() => workspaces[Symbol.asyncDispose]())

async function indexed(files: Readonly<Record<string, string | Buffer>>): Promise<ToolWorkspace> {
  const workspace = await workspaces.with(files)
  await workspace.index()
  return workspace
}

async function search(workspace: ToolWorkspace, query: string, args: object = {}): Promise<readonly string[]> {
  return (await workspace.ok<SearchOutput>('search', { query, ...args })).hits.map(({ path, line }) => `${path}:${line}`)
}

describe('search', () => {
  it('shows the line that fits best, without its indentation, and how it was found', async () => {
    const workspace = await indexed({ '/src/people.ts': 'import x\n\nclass People {\n  getUserName(id: string) {}\n}\n' })
    expect(await workspace.ok('search', { query: 'user name' })).toEqual({
      query: 'user name',
      path: '/',
      hits: [{ path: '/src/people.ts', line: 4, end_line: 4, heading: null, excerpt: 'getUserName(id: string) {}', found_by: ['words'] }],
      truncated: false,
      notice: null,
    })
  })

  it.each([
    ['a part of an identifier', 'path', ['/code.ts:1']],
    ['an identifier in another style', 'parse_path', ['/code.ts:1']],
    ['an identifier typed small', 'parsepath', ['/code.ts:1']],
    ['a word in another form', 'migrations', ['/prose.md:3']],
    ['the beginning of a word', 'migrat', ['/prose.md:3']],
    ['a word in capitals', 'MIGRATION', ['/prose.md:3']],
    ['words next to each other', '"one migration a"', ['/prose.md:3']],
    ['no words that stand apart', '"migration day"', []],
    ['either of two words', 'rückwärts OR migration', ['/deutsch.md:2', '/prose.md:3']],
    ['words with accents typed decomposed', 'ru\u0308ckwa\u0308rts', ['/deutsch.md:2']],
    ['words of a script without spaces', '検索', ['/japanese.md:1']],
    ['the name of a file', 'zephyr', ['/zephyr-logo.png:1']],
    ['the name of a folder', 'attic', ['/attic/x.txt:1']],
    ['a path', 'attic/x.txt', ['/attic/x.txt:1']],
    ['a number', '4711', ['/prose.md:5']],
    ['nothing of a word that is only part of another one', 'rune', []],
  ])('finds %s', async (_, query, expected) => {
    const workspace = await indexed({
      '/code.ts': 'export const parsePath = 1\n',
      '/prose.md': '# Plans\n\nWe run one migration a day.\n\nNumber 4711 is the last.\n',
      '/deutsch.md': 'Vorwärts\nund rückwärts, immer prune.\n',
      '/japanese.md': '全文検索の文書\n',
      '/zephyr-logo.png': Buffer.from([137, 80, 78, 71, 0, 1, 2]),
      '/attic/x.txt': 'nothing\n',
    })
    expect((await search(workspace, query)).toSorted()).toEqual(expected)
  })

  it('leaves out files with a word that is not wanted', async () => {
    const workspace = await indexed({ '/a.md': 'apple pie', '/b.md': 'apple juice', '/c.md': 'apple pie with fresh juice' })
    expect(await search(workspace, 'apple -juice')).toEqual(['/a.md:1'])
    expect(await search(workspace, 'apple -"fresh juice"')).toHaveLength(2)
  })

  it('puts names and headings before text, and the very word before longer ones', async () => {
    const workspace = await indexed({
      '/text.md': 'A word about indexing and the index of things, and more words that stand around it here.\n',
      '/index.md': 'Nothing.\n',
      '/heading.md': '# The index\n\nNothing.\n',
      '/longer.md': 'All about indexers.\n',
    })
    expect(await search(workspace, 'index')).toEqual(['/index.md:1', '/heading.md:1', '/text.md:1', '/longer.md:1'])
  })

  it('answers a question in a sentence by its rarest words, and says so', async () => {
    const filler = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`/filler-${index}.md`, 'how does the thing work from a to z when it is on']))
    const workspace = await indexed({ ...filler, '/crash.md': 'The indexer starts where it was.\nA crash costs it at most a batch.\n' })
    const output = await workspace.ok<SearchOutput>('search', { query: 'how does the indexer recover from a crash' })
    expect(output.hits.map(({ path }) => path)).toEqual(['/crash.md'])
    expect(output.notice).toContain('No file has all of these words')
    expect(await search(workspace, 'quux indexer crash')).toHaveLength(1)
    expect(await search(workspace, 'quux zork')).toEqual([])
  })

  it('stays in a folder, without those whose names begin alike, or in a file', async () => {
    const workspace = await indexed({ '/src/a.md': 'needle', '/src2/b.md': 'needle', '/c.md': 'needle' })
    expect(await search(workspace, 'needle', { path: '/src' })).toEqual(['/src/a.md:1'])
    expect(await search(workspace, 'needle', { path: 'c.md' })).toEqual(['/c.md:1'])
  })

  it('shows files as they are now: moved ones where they are, removed ones not at all, whatever the index knows yet', async () => {
    const workspace = await indexed({ '/a.md': 'needle one', '/b.md': 'needle two', '/c.md': 'needle three' })
    await workspace.ok('mv', { source: '/a.md', destination: '/moved/a.md' })
    await workspace.ok('rm', { path: '/b.md' })
    await workspace.ok('write', { path: '/c.md', content: 'nothing any more', overwrite: true })
    const output = await workspace.ok<SearchOutput>('search', { query: 'needle' })
    expect(output.hits.map(({ path }) => path)).toEqual(['/moved/a.md'])
    expect(output.notice).toContain('what changed since may be missing')
    await workspace.index()
    expect(await search(workspace, 'needle', { path: '/moved' })).toEqual(['/moved/a.md:1'])
    expect((await workspace.ok<SearchOutput>('search', { query: 'needle' })).notice).toBeNull()
  })

  it('says that there are more', async () => {
    const workspace = await indexed(Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`/f${index}.md`, 'needle'])))
    const output = await workspace.ok<SearchOutput>('search', { query: 'needle' })
    expect([output.hits.length, output.truncated]).toEqual([10, true])
    expect(output.notice).toContain('There are more than these 10 hits')
    expect((await workspace.ok<SearchOutput>('search', { query: 'needle', limit: 0 })).hits).toHaveLength(12)
  })

  it('finds words in a megabyte of one line and shows what stands around them', async () => {
    const workspace = await indexed({ '/big.json': `${'{"x": 1}, '.repeat(60_000)}the needle here${', {"y": 2}'.repeat(30_000)}` })
    const output = await workspace.ok<SearchOutput>('search', { query: 'needle' })
    expect(output.hits[0]?.excerpt).toMatch(/^….*the needle here.*…$/)
    expect(jsonBytes(output)).toBeLessThan(RESULT_LIMIT_BYTES / 100)
  })

  it('takes in only the beginning of a very large text, all of its name, and nothing of what is no text', async () => {
    const workspace = await indexed({
      '/large.log': `early ${'filler words\n'.repeat(100_000)}late`,
      '/latin1.txt': Buffer.from('caf\xe9 needle', 'latin1'),
      '/many.txt': Array.from({ length: 140_000 }, (_, index) => `ü${(index * 7919).toString(36)}`).join(' '),
    })
    expect(await search(workspace, 'early')).toEqual(['/large.log:1'])
    expect(await search(workspace, 'late')).toEqual([])
    expect(await search(workspace, 'needle')).toEqual([])
    expect(await search(workspace, 'latin1')).toEqual(['/latin1.txt:1'])
    expect(await search(workspace, 'ü0')).toEqual(['/many.txt:1'])
  })

  it.each([
    [{ query: '' }, 'invalid_request', 'no word to look for'],
    [{ query: '!!! -- "" ...' }, 'invalid_request', 'no word to look for'],
    [{ query: '-needle' }, 'invalid_request', 'no word to look for'],
    [{ query: 'x', path: '/nope' }, 'not_found', 'There is no "/nope"'],
    [{ query: 'x', by: 'magic' }, 'invalid_request', 'by'],
  ])('refuses %j', async (args, code, text) => {
    const error = await (await workspaces.with()).refused('search', args)
    expect(error.code).toBe(code)
    expect(error.message).toContain(text)
  })

  it("takes quotes, backslashes and operators of the database's language as text", async () => {
    const workspace = await indexed({ '/a.md': "it's a needle" })
    for (const query of ["it's", "needle' | 'x", 'needle & !needle:*', "needle\\' <-> (", ':* needle', '@ needle']) {
      await expect(search(workspace, query)).resolves.toBeDefined()
    }
    expect(await search(workspace, "it's")).toEqual(['/a.md:1'])
  })

  it('finds nothing of another workspace', async () => {
    const one = await indexed({ '/a.md': 'needle in one' })
    const other = await indexed({ '/b.md': 'something else' })
    expect(await search(other, 'needle')).toEqual([])
    expect(await search(one, 'needle')).toEqual(['/a.md:1'])
  })
})
