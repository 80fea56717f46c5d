import { createTwoFilesPatch } from 'diff'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'
import { parsePatch } from './parse-patch.ts'
import { patchText } from './patch-text.ts'

const lines = (count: number, from = 1): string => Array.from({ length: count }, (_, index) => `line ${from + index}\n`).join('')
const section = (path: string, ...hunk: readonly string[]): string => `--- a${path}\n+++ b${path}\n${hunk.join('\n')}\n`

describe('apply_patch', () => {
  let workspaces: ToolWorkspaces
  beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
  afterAll(() => workspaces[Symbol.asyncDispose]())

  it('changes, creates, deletes and renames files in one change set, and says what became of each', async () => {
    const workspace = await workspaces.with({ '/src/a.ts': 'one\ntwo\nthree\n', '/old.txt': 'gone\n', '/from.md': 'x\ny\n', '/as-is.bin': Buffer.from([0, 255]) })
    const patch = [
      'diff --git a/src/a.ts b/src/a.ts', 'index 123..456 100644', '--- a/src/a.ts', '+++ b/src/a.ts', '@@ -1,3 +1,3 @@', ' one', '-two', '+2', ' three',
      'diff --git a/old.txt b/old.txt', 'deleted file mode 100644', '--- a/old.txt', '+++ /dev/null', '@@ -1 +0,0 @@', '-gone',
      'diff --git a/new/file.txt b/new/file.txt', 'new file mode 100644', '--- /dev/null', '+++ b/new/file.txt', '@@ -0,0 +1,2 @@', '+first', '+last', '\\ No newline at end of file',
      'diff --git a/empty b/empty', 'new file mode 100644',
      'diff --git a/from.md b/docs/to.md', 'similarity index 50%', 'rename from from.md', 'rename to docs/to.md', '--- a/from.md', '+++ b/docs/to.md', '@@ -1,2 +1,2 @@', ' x', '-y', '+z',
      'diff --git a/as-is.bin b/moved.bin', 'similarity index 100%', 'rename from as-is.bin', 'rename to moved.bin', '',
    ].join('\n')
    const fileId = (await workspace.ok<{ file_id: string }>('file_info', { path: '/from.md' })).file_id
    expect(await workspace.ok('apply_patch', { patch })).toMatchObject({
      files: [
        { path: '/src/a.ts', change: 'updated', version: 2 },
        { path: '/old.txt', change: 'deleted', version: null },
        { path: '/new/file.txt', change: 'created', version: 1, size: 10 },
        { path: '/empty', change: 'created', size: 0 },
        { path: '/docs/to.md', change: 'renamed', from_path: '/from.md', file_id: fileId, version: 2 },
        { path: '/moved.bin', change: 'renamed', version: 1 },
      ],
      notice: null,
    })
    expect(await workspace.paths()).toEqual(['/docs', '/docs/to.md', '/empty', '/moved.bin', '/new', '/new/file.txt', '/src', '/src/a.ts'])
    expect([await workspace.text('/src/a.ts'), await workspace.text('/new/file.txt'), await workspace.text('/docs/to.md')]).toEqual(['one\n2\nthree\n', 'first\nlast', 'x\nz\n'])
  })

  it.each([
    ['line numbers that are wrong, saying so', lines(40), ['@@ -3,3 +3,3 @@', ' line 29', '-line 30', '+LINE 30', ' line 31'], lines(40).replace('line 30\n', 'LINE 30\n')],
    ['counts that are wrong', lines(5), ['@@ -1,9 +1,1 @@', ' line 1', '-line 2', '+x'], lines(5).replace('line 2', 'x')],
    ['no line numbers at all', lines(5), ['@@ @@ function f()', ' line 3', '-line 4', '+x'], lines(5).replace('line 4', 'x')],
    ['the nearest of several places', 'a\nx\nb\na\nx\nc\n', ['@@ -4,2 +4,2 @@', ' a', '-x', '+y'], 'a\nx\nb\na\ny\nc\n'],
    ['empty lines that lost their space', 'a\n\nb\n', ['@@ -1,3 +1,3 @@', ' a', '', '-b', '+c'], 'a\n\nc\n'],
    ['lines that look like headers', '-- old comment\nx\n', ['@@ -1,2 +1,2 @@', '--- old comment', '+++ new', ' x'], '++ new\nx\n'],
    ['a file with CRLF, in LF', 'a\r\nb\r\nc\r\n', ['@@ -1,3 +1,4 @@', ' a', '-b', '+x', '+y', ' c'], 'a\r\nx\r\ny\r\nc\r\n'],
    ['a file with CRLF, as git writes it', 'a\r\nb\r\n', ['@@ -1,2 +1,2 @@', ' a\r', '-b\r', '+x\r'], 'a\r\nx\r\n'],
    ['a file without final line break that gets one', 'a\nb', ['@@ -1,2 +1,2 @@', ' a', '-b', '\\ No newline at end of file', '+b'], 'a\nb\n'],
    ['a file that loses its final line break', 'a\nb\n', ['@@ -1,2 +1,2 @@', ' a', '-b', '+b', '\\ No newline at end of file'], 'a\nb'],
    ['a file without final line break, in the middle', 'a\nb', ['@@ -1,2 +1,3 @@', ' a', '+x', ' b', '\\ No newline at end of file'], 'a\nx\nb'],
    ['lines behind a last one without line break', 'a\nb', ['@@ -2 +2,2 @@', ' b', '+c'], 'a\nb\nc\n'],
    ['a byte order mark', '\uFEFFa\nb\n', ['@@ -1,2 +1,2 @@', '-a', '+x', ' b'], '\uFEFFx\nb\n'],
    ['lines to add where only the number says where', lines(3), ['@@ -1,0 +2,1 @@', '+x'], 'line 1\nx\nline 2\nline 3\n'],
    ['a hunk that empties the file', 'a\n', ['@@ -1 +0,0 @@', '-a'], ''],
    ['two hunks, the second where the first has moved it', lines(30), ['@@ -1,1 +1,4 @@', ' line 1', '+x', '+y', '+z', '@@ -20,1 +23,0 @@', '-line 20'], lines(30).replace('line 1\n', 'line 1\nx\ny\nz\n').replace('line 20\n', '')],
    ['the signature that git puts behind a mailed patch', 'a\nb\n', ['@@ -1,2 +1,2 @@', '-a', '+x', ' b', '-- ', '2.40.0'], 'x\nb\n'],
    ['an empty line before the next lines of a hunk whose counts are too low', 'a\n\nb\n', ['@@ -1,1 +1,1 @@', '-a', '+x', '', '-b', '+y'], 'x\n\ny\n'],
  ])('understands %s', async (...[, before, hunk, after]) => {
    const workspace = await workspaces.with({ '/f': before })
    const { notice } = await workspace.ok<{ notice: string | null }>('apply_patch', { patch: section('/f', ...hunk) })
    expect(await workspace.text('/f')).toBe(after)
    expect(notice).toBe(hunk[0] === '@@ -3,3 +3,3 @@' ? 'Applied, but hunk 1 of "/f" was found 26 lines below where the patch says.' : null)
  })

  it.each([
    ['two files of which the first has counts that are too high', `${section('/a', '@@ -1,7 +1,7 @@', '-a', '+1')}${section('/b', '@@ -1 +1 @@', '-b', '+2')}`],
    ['paths without a/ and b/, and times behind them', '--- a\t2026-01-01 00:00:00\n+++ a\t2026-01-01 00:00:01\n@@ -1 +1 @@\n-a\n+1\n--- /b\n+++ /b\n@@ -1 +1 @@\n-b\n+2\n'],
    ['words around it, and a fence', `Here is the patch:\n- it changes a\n\`\`\`diff\n${section('/a', '@@ -1 +1 @@', '-a', '+1')}\n${section('/b', '@@ -1 +1 @@', '-b', '+2')}\`\`\`\nDone.`],
    ['a patch that was written on Windows', `${section('/a', '@@ -1 +1 @@', '-a', '+1')}${section('/b', '@@ -1 +1 @@', '-b', '+2')}`.replaceAll('\n', '\r\n')],
  ])('reads %s', async (_, patch) => {
    const workspace = await workspaces.with({ '/a': 'a\n', '/b': 'b\n' })
    await workspace.ok('apply_patch', { patch })
    expect([await workspace.text('/a'), await workspace.text('/b')]).toEqual(['1\n', '2\n'])
  })

  it('reads names that git puts in quotes', async () => {
    const workspace = await workspaces.with({ '/ü "x".md': 'a\n' })
    await workspace.ok('apply_patch', { patch: 'diff --git "a/\\303\\274 \\"x\\".md" "b/\\303\\274 \\"x\\".md"\n--- "a/\\303\\274 \\"x\\".md"\n+++ "b/\\303\\274 \\"x\\".md"\n@@ -1 +1 @@\n-a\n+b\n' })
    expect(await workspace.text('/ü "x".md')).toBe('b\n')
  })

  it.each([
    ['text that differs, showing what is near', section('/f', '@@ -2,2 +2,2 @@', ' line 2', '-line  3!', '+x'), 'conflict', /Hunk 1 of 1 for "\/f" does not fit.*closest lines are:\n2: line 2\n3: line 3/],
    ['text with other white space', section('/f', '@@ -2,2 +2,2 @@', ' line 2', '-  line   3', '+x'), 'conflict', /other white space or line breaks:\n2: line 2\n3: line 3/],
    ['a hunk that is applied already', section('/f', '@@ -2,1 +2,2 @@', '-line 0', '+line 2', '+line 3'), 'conflict', /applied already/],
    ['hunks in the wrong order', section('/f', '@@ -4 +4 @@', '-line 4', '+x', '@@ -1 +1 @@', '-line 1', '+x'), 'conflict', /Hunk 2 of 2.*above those of the hunk before/],
    ['a place that is not clear', '--- a/g\n+++ b/g\n@@ @@\n-x\n+y\n', 'conflict', /no line numbers.*there 2 times, at lines 1, 3/],
    ['an end that is none', section('/f', '@@ -5 +5 @@', '-line 5', '\\ No newline at end of file', '+x'), 'conflict', /ends there without a line break/],
    ['lines to add behind the end', section('/f', '@@ -9,0 +10 @@', '+x'), 'conflict', /adds lines behind line 9, and the file has 5/],
    ['a file that is not there', section('/ff', '@@ -1 +1 @@', '-a', '+b'), 'not_found', /There is no "\/ff"/],
    ['a new file that exists', '--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n', 'version_mismatch', /"\/f" exists already/],
    ['a new file with old lines', '--- /dev/null\n+++ b/n\n@@ -1 +1 @@\n-a\n+x\n', 'invalid_request', /every line of its hunk must begin with "\+"/],
    ['a deletion that does not show the whole file', '--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-line 1\n', 'conflict', /more lines than the patch removes/],
    ['a rename onto a file', 'diff --git a/f b/g\nrename from f\nrename to g\n', 'conflict', /"\/g" exists already/],
    ['a file that is named twice', section('/f', '@@ -1 +1 @@', '-line 1', '+x') + section('/f', '@@ -2 +2 @@', '-line 2', '+x'), 'invalid_request', /in the patch twice/],
    ['another file as binary', 'diff --git a/f b/f\nGIT binary patch\nliteral 1\n', 'invalid_request', /Line 2 of the patch: Binary files/],
    ['a copy', 'diff --git a/f b/c\ncopy from f\ncopy to c\n', 'invalid_request', /cannot copy/],
    ['another format', '*** Begin Patch\n*** Update File: f\n@@\n-a\n+b\n*** End Patch\n', 'invalid_request', /no unified diff\. A patch looks like this/],
    ['no patch', 'please change it', 'invalid_request', /There is no file in this patch/],
    ['a hunk without a file', '@@ -1 +1 @@\n-a\n+b\n', 'invalid_request', /Line 1 of the patch: A hunk stands before any file/],
    ['a hunk that changes nothing', section('/f', '@@ -1 +1 @@', ' line 1'), 'invalid_request', /Line 3 of the patch: This hunk changes nothing/],
    ['a file without hunks', '--- a/f\n+++ b/f\n', 'invalid_request', /no change for "f"/],
    ['lines that no hunk has', section('/f', '-line 1', '+x'), 'invalid_request', /Line 3 of the patch: Here a hunk must begin/],
    ['lines behind a hunk that no hunk has', section('/f', '@@ -1 +1 @@', '-line 1', '+x', 'words', '-line 2', '+y'), 'invalid_request', /belongs to no hunk/],
    ['a path out of the workspace', '--- a/../f\n+++ b/../f\n@@ -1 +1 @@\n-a\n+b\n', 'invalid_request', /contains "\.\."/],
    ['a new path out of the workspace', 'diff --git a/f b/f\nrename from f\nrename to ../../etc/f\n', 'invalid_request', /contains "\.\."/],
    ['a quoted path out of the workspace', '--- /dev/null\n+++ "b/x/\\056\\056/\\056\\056/f"\n@@ -0,0 +1 @@\n+x\n', 'invalid_request', /contains "\.\."/],
    ['a quoted NUL', '--- /dev/null\n+++ "b/x\\000"\n@@ -0,0 +1 @@\n+x\n', 'invalid_request', /NUL/],
  ])('B15: refuses %s, and changes nothing', async (...[, patch, code, message]) => {
    const workspace = await workspaces.with({ '/f': lines(5), '/g': 'x\n\nx\n' })
    const error = await workspace.refused('apply_patch', { patch })
    expect(error).toMatchObject({ code })
    expect(error.message).toMatch(message)
    expect([await workspace.paths(), await workspace.text('/f')]).toEqual([['/f', '/g'], lines(5)])
  })

  it('changes nothing when one file of several does not fit, or changes before the patch is applied', async () => {
    const workspace = await workspaces.with({ '/a': 'a\n', '/b': 'b\n' })
    const patch = section('/a', '@@ -1 +1 @@', '-a', '+1') + section('/b', '@@ -1 +1 @@', '-b', '+2')
    expect(await workspace.refused('apply_patch', { patch: patch.replace('-b', '-c') })).toMatchObject({ code: 'conflict' })
    const prepared = await workspace.prepare('apply_patch', { patch })
    await workspace.put('/b', 'other\n')
    await expect(workspace.apply(prepared)).rejects.toMatchObject({ code: 'version_mismatch', message: expect.stringContaining('"/b" has changed') as string })
    expect([await workspace.text('/a'), await workspace.text('/b')]).toEqual(['a\n', 'other\n'])
  })

  it('can rename a file and put a new one in its place', async () => {
    const workspace = await workspaces.with({ '/a': 'a\n' })
    await workspace.ok('apply_patch', { patch: '--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+new\ndiff --git a/a b/b\nrename from a\nrename to b\n' })
    expect([await workspace.text('/a'), await workspace.text('/b')]).toEqual(['new\n', 'a\n'])
  })
})

describe('a patch made by another program', () => {
  /** Not random from run to run, so that a failure can be looked at. */
  function* numbers(seed: number): Generator<number, never> {
    for (let state = seed; ; ) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      yield state / 2 ** 32
    }
  }

  it('gives exactly the other text, whatever the texts are, also with wrong line numbers', () => {
    for (let seed = 1; seed <= 400; seed++) {
      const random = numbers(seed)
      const pick = (most: number): number => Math.floor(random.next().value * most)
      const word = (): string => ['a', 'b', '', '-- x', '++ y', '@@ z', 'ü', '\\ no'][pick(8)] ?? ''
      const eol = pick(4) === 0 ? '\r\n' : '\n'
      const before = Array.from({ length: pick(30) }, word)
      const after = before.flatMap((line) => (pick(5) === 0 ? [] : pick(5) === 0 ? [line, word()] : [line]))
      const whole = (texts: readonly string[]): string => texts.join(eol) + (texts.length > 0 && pick(3) > 0 ? eol : '')
      const [from, to] = [whole(before), whole(after)]
      if (from === to) continue
      const patch = createTwoFilesPatch('a/f', 'b/f', from, to, '', '', { context: pick(4) })
      const [file] = parsePatch(patch)
      expect(patchText(from, file?.hunks ?? [], '/f').text, patch).toBe(to)
    }
  })

  it('is quick in a large file, wherever its hunks are', () => {
    const text = lines(200_000)
    const hunks = Array.from({ length: 200 }, (_, index) => `@@ -1,1 +1,1 @@\n-line ${index * 900 + 1}\n+x\n`).join('')
    const [file] = parsePatch(`--- a/f\n+++ b/f\n${hunks}`)
    const started = performance.now()
    expect(patchText(text, file?.hunks ?? [], '/f').moved).toHaveLength(199)
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})
