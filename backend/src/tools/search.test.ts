import { symlink, mkdir, writeFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'
import type { GrepMatch } from '../services/search/disk/grep-collector.ts'
import { jsonBytes, RESULT_LIMIT_BYTES } from './result-limit.ts'

interface GrepOutput {
  readonly matches: readonly GrepMatch[]
  readonly truncated: boolean
  readonly stale: boolean
  readonly notice: string | null
}

interface GlobOutput extends Omit<GrepOutput, 'matches'> {
  readonly matches: readonly { readonly path: string; readonly size: number }[]
}

let workspaces: ToolWorkspaces
beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
afterAll(() => workspaces[Symbol.asyncDispose]())

const found = ({ matches }: GrepOutput): readonly string[] => matches.map((match) => `${match.path}:${match.line_number}:${match.line_text}`)
const paths = ({ matches }: { readonly matches: readonly { readonly path: string }[] }): readonly string[] => [...new Set(matches.map((match) => match.path))]

describe('grep', () => {
  it('finds lines by a regular expression, by path and line', async () => {
    const workspace = await workspaces.with({ '/b.ts': 'const x = 1\nlet y\n', '/a/c.ts': 'function f() {}\r\nconst z = 2', '/d.md': 'nothing' })
    const output = await workspace.ok<GrepOutput>('grep', { pattern: '^(const|let) \\w' })
    expect(found(output)).toEqual(['/a/c.ts:2:const z = 2', '/b.ts:1:const x = 1', '/b.ts:2:let y'])
    expect(output).toMatchObject({ truncated: false, stale: false, notice: null })
  })

  it('matches the end of a line before CRLF, and shows the line without it', async () => {
    const workspace = await workspaces.with({ '/a': 'one\r\ntwo\r\n' })
    expect(found(await workspace.ok<GrepOutput>('grep', { pattern: 'one$' }))).toEqual(['/a:1:one'])
  })

  it('ignores case unless told otherwise', async () => {
    const workspace = await workspaces.with({ '/a': 'Foo\nfoo\n' })
    expect(found(await workspace.ok<GrepOutput>('grep', { pattern: 'foo' }))).toHaveLength(2)
    expect(found(await workspace.ok<GrepOutput>('grep', { pattern: 'foo', case_sensitive: 'true' }))).toEqual(['/a:2:foo'])
  })

  it.each([
    ['a file', '/src/a.ts', ['/src/a.ts']],
    ['a file without the slash', 'src/a.ts', ['/src/a.ts']],
    ['a folder', 'src', ['/src/[id].ts', '/src/a.ts', '/src/deep/b.md']],
    ['a folder with a slash at its end', '/src/', ['/src/[id].ts', '/src/a.ts', '/src/deep/b.md']],
    ['a pattern for names at any depth', '*.ts', ['/c.ts', '/src/[id].ts', '/src/a.ts']],
    ['the same with a slash', '/*.ts', ['/c.ts', '/src/[id].ts', '/src/a.ts']],
    ['a pattern with folders', '/src/**/*.{ts,md}', ['/src/[id].ts', '/src/a.ts', '/src/deep/b.md']],
    ['a file whose name looks like a pattern', '/src/[id].ts', ['/src/[id].ts']],
    ['a bare name anywhere', 'b.md', ['/src/deep/b.md']],
    ['a pattern in a folder that is not there', '/nowhere/*.ts', []],
    ['a negation, which is text here', '!*.ts', []],
  ])('searches only %s', async (_, pathPattern, expected) => {
    const workspace = await workspaces.with({ '/src/a.ts': 'hit', '/src/deep/b.md': 'hit', '/src/[id].ts': 'hit', '/src/i.tsx': 'hit', '/c.ts': 'hit', '/src2/d.md': 'hit' })
    const output = await workspace.ok<GrepOutput>('grep', { pattern: 'hit', path_pattern: pathPattern })
    expect(paths(output).filter((path) => path !== '/src/i.tsx')).toEqual(expected)
  })

  it('names near names for a path that is not there', async () => {
    const workspace = await workspaces.with({ '/src/main.ts': 'hit' })
    expect((await workspace.refused('grep', { pattern: 'hit', path_pattern: '/src/man.ts' })).message).toContain('Did you mean "/src/main.ts"?')
  })

  it.each([
    ['lines before', { before_context: '1' }, { before_context: ['2'] }],
    ['lines after', { after_context: 2 }, { after_context: ['4', '5'] }],
    ['lines on both sides', { context: 1 }, { before_context: ['2'], after_context: ['4'] }],
    ['more after than before', { context: '1', after_context: '2' }, { before_context: ['2'], after_context: ['4', '5'] }],
    ['no more than there are', { context: 9 }, { before_context: ['1', '2'], after_context: ['4', '5'] }],
  ])('shows %s', async (_, args, expected) => {
    const workspace = await workspaces.with({ '/a': '1\n2\nhit\n4\n5\n' })
    const { matches } = await workspace.ok<GrepOutput>('grep', { pattern: 'hit', ...args })
    expect(matches).toEqual([{ path: '/a', line_number: 3, line_text: 'hit', ...expected }])
  })

  it('shows matches that are near each other in each other’s context', async () => {
    const workspace = await workspaces.with({ '/a': 'hit 1\nhit 2\nx\n' })
    const { matches } = await workspace.ok<GrepOutput>('grep', { pattern: 'hit', context: 1 })
    expect(matches.map(({ before_context: before, after_context: after }) => [before, after])).toEqual([[[], ['hit 2']], [['hit 1'], ['x']]])
  })

  it('shows 50 matches unless told otherwise, exactly as many as asked, or all', async () => {
    const workspace = await workspaces.with({ '/a': 'hit\n'.repeat(1050) })
    const first = await workspace.ok<GrepOutput>('grep', { pattern: 'hit' })
    expect(first.matches).toHaveLength(50)
    expect(first).toMatchObject({ truncated: true, notice: expect.stringContaining('more than these 50 matches') as string })
    expect((await workspace.ok<GrepOutput>('grep', { pattern: 'hit', limit: 100 })).matches).toHaveLength(100)
    expect(await workspace.ok<GrepOutput>('grep', { pattern: 'hit', limit: 1050 })).toMatchObject({ truncated: false })
    expect((await workspace.ok<GrepOutput>('grep', { pattern: 'hit', limit: '0' })).matches).toHaveLength(1050)
  })

  it('keeps the whole context of the last match that it shows', async () => {
    const workspace = await workspaces.with({ '/a': 'hit 1\nx\nhit 2\ny\n' })
    const { matches, truncated } = await workspace.ok<GrepOutput>('grep', { pattern: 'hit', after_context: 3, limit: 1 })
    expect(matches).toEqual([{ path: '/a', line_number: 1, line_text: 'hit 1', after_context: ['x', 'hit 2', 'y'] }])
    expect(truncated).toBe(true)
  })

  it('never gives more than 1 MiB', async () => {
    const workspace = await workspaces.with({ '/a': `hit ${'"'.repeat(1000)}\n`.repeat(3000) })
    const output = await workspace.ok<GrepOutput>('grep', { pattern: 'hit', limit: 0, context: 3 })
    expect(jsonBytes(output)).toBeLessThanOrEqual(RESULT_LIMIT_BYTES)
    expect(jsonBytes(output)).toBeGreaterThan(RESULT_LIMIT_BYTES / 2)
    expect(output).toMatchObject({ truncated: true })
  })

  it('shows the part of a very long line that matches, and counts lines of megabytes that it leaves out', async () => {
    const workspace = await workspaces.with({ '/a': `${'ä'.repeat(100_000)}hit${'b'.repeat(100_000)}\n`, '/b': `hit${'c'.repeat(3_000_000)}\n`, '/c': 'hit\n' })
    const output = await workspace.ok<GrepOutput>('grep', { pattern: 'hit' })
    expect(paths(output)).toEqual(['/a', '/c'])
    expect(output.matches[0]?.line_text).toMatch(/^…ä{200}hitb+…$/)
    expect(output).toMatchObject({ truncated: true, notice: '1 matches were left out, because their lines are megabytes long.' })
  })

  it('finds text in lines that are not UTF-8', async () => {
    const workspace = await workspaces.with({ '/a': Buffer.from('grüße hit\n', 'latin1') })
    expect((await workspace.ok<GrepOutput>('grep', { pattern: 'hit' })).matches[0]?.line_text).toMatch(/hit$/)
  })

  it('searches hidden files, but neither .git nor what .gitignore names, unless asked', async () => {
    const workspace = await workspaces.with({ '/.gitignore': '/dist\n*.log\n', '/.env': 'hit', '/.github/ci.yml': 'hit', '/.git/config': 'hit', '/dist/a': 'hit', '/src/x.log': 'hit', '/src/dist/a': 'hit' })
    expect(paths(await workspace.ok<GrepOutput>('grep', { pattern: 'hit' }))).toEqual(['/.env', '/.github/ci.yml', '/src/dist/a'])
    expect(paths(await workspace.ok<GrepOutput>('grep', { pattern: 'hit', path_pattern: '/src' }))).toEqual(['/src/dist/a'])
    expect(paths(await workspace.ok<GrepOutput>('grep', { pattern: 'hit', include_ignored: true }))).toEqual(['/.env', '/.github/ci.yml', '/dist/a', '/src/dist/a', '/src/x.log'])
  })

  it.each(['--pre=sh', '-f', '-f /etc/passwd', '--', '--files', '-e', '--search-zip', '-'])('takes %s as text', async (pattern) => {
    const workspace = await workspaces.with({ '/a': `before ${pattern} after\n`, '/run.sh': 'echo hit > /tmp/never\n' })
    expect(found(await workspace.ok<GrepOutput>('grep', { pattern }))).toContain(`/a:1:before ${pattern} after`)
  })

  it.each([
    ['an invalid expression, with the reason', 'a(b', /not a valid regular expression: regex parse error/],
    ['an expression over several lines', 'a\nb', /not a valid regular expression/],
    ['nothing', '', /empty/],
    ['a NUL character', 'a\0', /NUL/],
  ])('refuses %s', async (_, pattern, expected) => {
    const workspace = await workspaces.with({ '/a': 'x' })
    const error = await workspace.refused('grep', { pattern })
    expect(error).toMatchObject({ code: 'invalid_request' })
    expect(error.message).toMatch(expected)
  })

  it('says nothing found as an empty result, even in a workspace without any file', async () => {
    const workspace = await workspaces.with()
    expect(await workspace.ok('grep', { pattern: 'error' })).toEqual({ matches: [], truncated: false, stale: false, notice: null })
  })

  it('shows only files of the workspace, whatever else lies on the disk', async () => {
    const workspace = await workspaces.with({ '/z.md': 'hit' })
    await workspace.ok('grep', { pattern: 'hit' })
    for (const name of ['a', 'b', 'c']) await workspace.stray(`${name}.md`, 'hit\n'.repeat(100))
    const output = await workspace.ok<GrepOutput>('grep', { pattern: 'hit', limit: 2 })
    expect(found(output)).toEqual(['/z.md:1:hit'])
    expect(output).toMatchObject({ truncated: false })
  })

  it('says when the latest changes may be missing', async () => {
    const workspace = await workspaces.with({ '/a': 'hit' }, { isMirrorCurrent: false })
    expect(await workspace.ok('grep', { pattern: 'hit' })).toMatchObject({ matches: [], stale: true, notice: expect.stringContaining('latest changes may be missing') as string })
    expect(await workspace.ok('glob', { pattern: '*' })).toMatchObject({ matches: [], stale: true })
  })

  it('ends a search that takes too long, and says so', async () => {
    const workspace = await workspaces.with({ '/a': 'hit\n'.repeat(1000) }, { searchTimeLimitMs: 1 })
    const output = await workspace.ok<GrepOutput>('grep', { pattern: 'hit', limit: 0 })
    expect(output).toMatchObject({ truncated: true, notice: expect.stringContaining('before it was complete') as string })
  })

  it('ends with the call that asked for it', async () => {
    const workspace = await workspaces.with({ '/a': 'hit' })
    const reason = new Error('stopped by the person')
    const abort = new AbortController()
    const call = workspace.run('grep', { pattern: 'hit' }, { signal: abort.signal })
    abort.abort(reason)
    await expect(call).rejects.toBe(reason)
  })
})

describe('glob', () => {
  const files = { '/a.rs': '1', '/src/b.rs': '22', '/src/deep/c.rs': '3', '/src/d.md': '4', '/src/[id].tsx': '5', '/.hidden/e.rs': '6' }

  it.each([
    [{ pattern: '*.rs' }, ['/.hidden/e.rs', '/a.rs', '/src/b.rs', '/src/deep/c.rs']],
    [{ pattern: '**/*.rs', path: '/src' }, ['/src/b.rs', '/src/deep/c.rs']],
    [{ pattern: '*.rs', path: 'src/deep/' }, ['/src/deep/c.rs']],
    [{ pattern: 'src/*.{rs,md}' }, ['/src/b.rs', '/src/d.md']],
    [{ pattern: 'src/**' }, ['/src/[id].tsx', '/src/b.rs', '/src/d.md', '/src/deep/c.rs']],
    [{ pattern: 'src/' }, ['/src/[id].tsx', '/src/b.rs', '/src/d.md', '/src/deep/c.rs']],
    [{ pattern: '?.rs' }, ['/.hidden/e.rs', '/a.rs', '/src/b.rs', '/src/deep/c.rs']],
    [{ pattern: '[!a-b].rs' }, ['/.hidden/e.rs', '/src/deep/c.rs']],
    [{ pattern: '\\[id\\].tsx' }, ['/src/[id].tsx']],
    [{ pattern: '*.java' }, []],
    [{ pattern: '--files' }, []],
  ])('finds %j', async (args, expected) => {
    const workspace = await workspaces.with(files)
    const output = await workspace.ok<GlobOutput>('glob', args)
    expect(paths(output)).toEqual(expected)
    expect(output).toMatchObject({ truncated: false, notice: null })
  })

  it('tells size and type, and finds a moved file only where it is now', async () => {
    const workspace = await workspaces.with(files)
    await workspace.ok('glob', { pattern: '*.md' })
    await workspace.ok('mv', { source: '/src/d.md', destination: '/e.md' })
    const { matches } = await workspace.ok<GlobOutput>('glob', { pattern: '*.md' })
    expect(matches).toMatchObject([{ path: '/e.md', name: 'e.md', file_type: 'document', size: 1, version: 1 }])
  })

  it('shows as many files as asked, strays on the disk not counted', async () => {
    const workspace = await workspaces.with(Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`/f${n}`, 'x'])))
    await workspace.stray('a-stray', 'x')
    const first = await workspace.ok<GlobOutput>('glob', { pattern: '*' })
    expect(first.matches).toHaveLength(50)
    expect(first).toMatchObject({ truncated: true, notice: expect.stringContaining('more than these 50 files') as string })
    expect((await workspace.ok<GlobOutput>('glob', { pattern: '*', limit: 60 }))).toMatchObject({ truncated: false })
    expect((await workspace.ok<GlobOutput>('glob', { pattern: '*', limit: 0 })).matches).toHaveLength(60)
  })

  it.each([
    ['an empty pattern', { pattern: ' ' }, 'invalid_request', /empty/],
    ['a file as folder', { pattern: '*', path: '/a.rs' }, 'conflict', /is a file/],
    ['a folder that is not there', { pattern: '*', path: '/scr' }, 'not_found', /no "\/scr"/],
    ['a flood of alternatives', { pattern: '{a,b}'.repeat(20) }, 'invalid_request', /alternatives/],
  ])('refuses %s', async (...[, args, code, expected]) => {
    const workspace = await workspaces.with(files)
    const error = await workspace.refused('glob', args)
    expect(error.code).toBe(code)
    expect(error.message).toMatch(expected)
  })
})

describe('links on the disk', () => {
  it('are never followed, neither by grep nor by glob', async () => {
    const outside = join(tmpdir(), `buildscale-outside-${process.pid}`)
    await mkdir(outside, { recursive: true })
    await writeFile(join(outside, 'secret.txt'), 'top secret')
    try {
      const workspace = await workspaces.with({ '/docs/secret.txt': 'public', '/file.txt': 'public', '/other/x.txt': 'public' }, { isMirrorCurrent: false })
      // The disk as another program left it: links where the workspace has a folder, a file, and nothing.
      await mkdir(join(workspace.folder, 'other'), { recursive: true })
      await symlink(outside, join(workspace.folder, 'docs'))
      await symlink(join(outside, 'secret.txt'), join(workspace.folder, 'file.txt'))
      await symlink(join(outside, 'secret.txt'), join(workspace.folder, 'other', 'x.txt'))
      for (const pathPattern of [null, '/docs', '/docs/secret.txt', 'docs/*.txt', '/file.txt', '/other', '/other/x.txt', '*.txt']) {
        const output = await workspace.ok<GrepOutput>('grep', { pattern: 'secret', path_pattern: pathPattern })
        expect(output.matches, String(pathPattern)).toEqual([])
      }
      expect(paths(await workspace.ok<GlobOutput>('glob', { pattern: '*' }))).toEqual([])
      expect(paths(await workspace.ok<GlobOutput>('glob', { pattern: '*', path: '/docs' }))).toEqual([])
    } finally {
      await rm(outside, { recursive: true, force: true })
    }
  })
})
