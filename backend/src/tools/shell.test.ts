import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'

interface Ran {
  readonly exit_code: number
  readonly stdout: string
  readonly stderr: string
  readonly changes: readonly { readonly kind: string; readonly path: string; readonly from_path: string | null; readonly version: number | null }[]
  readonly truncated: boolean
  readonly notice: string | null
}

let workspaces: ToolWorkspaces
beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
afterAll(() => workspaces[Symbol.asyncDispose]())

/** A change in few words. */
const told = ({ changes }: Ran): readonly string[] => changes.map(({ kind, path, from_path: from, version }) => `${kind} ${from === null ? '' : `${from} -> `}${path}${version === null ? '' : ` v${version}`}`)

describe('a script that only looks', () => {
  it('runs pipes over the files of the workspace and changes nothing', async () => {
    const workspace = await workspaces.with({ '/a.txt': 'one\ntwo\n', '/src/b.txt': 'two\nthree\n', '/data.json': '{"items":[{"n":3},{"n":4}]}' })
    const ran = await workspace.ok<Ran>('shell', { command: 'cat a.txt src/*.txt | sort | uniq -c | awk \'$1 > 1 {print $2}\'\njq ".items[].n" data.json | paste -sd+ -\ngrep -rn two . | sed s/two/2/\necho oops >&2; exit 3' })
    expect(ran).toEqual({ exit_code: 3, stdout: 'two\n3+4\na.txt:2:2\nsrc/b.txt:1:2\n', stderr: 'oops\n', changes: [], truncated: false, notice: null })
  })

  it('has a folder to start in, standard input, and none of the server’s environment', async () => {
    const workspace = await workspaces.with({ '/src/b.txt': 'b' })
    process.env['SHELL_TEST_SECRET'] = 'hunter2'
    const ran = await workspace.ok<Ran>('shell', { command: 'pwd; ls; cat; env; echo $SHELL_TEST_SECRET $0; cat /proc/self/environ /etc/passwd', cwd: '/src', stdin: 'from outside\n' })
    expect(ran.stdout).toMatch(/^\/src\nb\.txt\nfrom outside\n/)
    expect(JSON.stringify(ran)).not.toMatch(/hunter2|root:|DATABASE_URL/)
    expect(ran.stderr).toContain('/etc/passwd: No such file or directory')
  })

  it('keeps substitutions, functions, loops and pipes apart, though each command prints at once', async () => {
    const workspace = await workspaces.with({ '/a.txt': 'one\ntwo\n' })
    const script = [
      'x=$(echo sub); echo "got $x"', 'f() { echo inf; }; y=`f`; echo "[$y]"; f | sed s/i/I/', 'cat <(echo psub)', 'while read l; do echo "l:$l"; done < a.txt | tr l L',
      '(echo sh; echo e >&2) 2>&1 | cat', 'z=$(cat nope 2>&1); echo "z=$z"', 'cat nope |& cat', 'if grep -q one a.txt; then echo yes; fi',
      'for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done > loop; cat loop; rm loop', 'false | true; echo ${PIPESTATUS[@]}', 'echo err > /dev/stderr; echo out > /dev/stdout; echo gone > /dev/null',
    ].join('\n')
    const ran = await workspace.ok<Ran>('shell', { command: script })
    const missing = 'cat: nope: No such file or directory'
    expect(ran.stdout.split('\n')).toEqual(['got sub', '[inf]', 'Inf', 'psub', 'L:one', 'L:two', 'sh', 'e', `z=${missing}`, missing, 'yes', '1', '3', '1 0', 'out', ''])
    expect(ran).toMatchObject({ stderr: 'err\n', exit_code: 0, changes: [] })
  })

  it('is told of a syntax error', async () => {
    const workspace = await workspaces.with()
    expect(await workspace.ok<Ran>('shell', { command: 'if (' })).toMatchObject({ exit_code: 2, stderr: expect.stringContaining('syntax error') as string, changes: [] })
  })

  it.each([['curl http://127.0.0.1/'], ['wget x'], ['node -e 1'], ['python3 -c 1'], ['sqlite3 :memory: "select 1"'], ['js-exec 1'], ['git status']])('has no program such as %s', async (command) => {
    const workspace = await workspaces.with()
    expect(await workspace.ok<Ran>('shell', { command })).toMatchObject({ exit_code: 127, stderr: expect.stringContaining('command not found') as string })
  })

  it.each([[{ command: '  ' }, 'command is empty'], [{ command: 'a\0b' }, 'NUL'], [{ command: 'ls', cwd: '/..' }, '".."'], [{ command: 'ls', cwd: '/a' }, 'is a file'], [{ command: 'ls', cwd: '/no' }, 'There is no'], [{ command: 'ls', timeout_s: 0 }, 'at least 1']])('is refused for %j', async (args, words) => {
    const workspace = await workspaces.with({ '/a': 'x' })
    expect((await workspace.refused('shell', args)).message).toContain(words)
  })

  it('is refused in plan mode, as everything that can write', async () => {
    const workspace = await workspaces.with()
    expect(await workspace.run('shell', { command: 'ls' }, { mode: 'plan' })).toMatchObject({ ok: false, error: { code: 'conflict' } })
  })
})

describe('a script that writes', () => {
  it('makes versions of what is different at its end, in one change set', async () => {
    const workspace = await workspaces.with({ '/a.txt': 'a\n', '/src/b.txt': 'two\n', '/same.txt': 'same' })
    const ran = await workspace.ok<Ran>('shell', { command: 'echo x > new.txt; echo 1 > gone; rm gone; mkdir -p d/e; for i in 1 2 3; do echo $i >> a.txt; done; sed -i s/two/2/ src/b.txt; echo -n same > same.txt; chmod +x a.txt' })
    expect(told(ran)).toEqual(['updated /a.txt v2', 'updated /src/b.txt v2', 'created /new.txt v1', 'created /d', 'created /d/e'].sort((a, b) => told(ran).indexOf(a) - told(ran).indexOf(b)))
    expect(await workspace.text('/a.txt')).toBe('a\n1\n2\n3\n')
    expect(await workspace.changeSets()).toBe(4)
  })

  it('keeps a file the same file when it is moved, alone or with its folder', async () => {
    const workspace = await workspaces.with({ '/src/b.txt': 'b', '/src/deep/c.txt': 'c' })
    const before = await workspace.ids()
    expect(told(await workspace.ok<Ran>('shell', { command: 'mv src lib; mv lib/deep/c.txt lib/c.md; rmdir lib/deep; echo more >> lib/b.txt' }))).toEqual(expect.arrayContaining(['moved /src -> /lib', 'moved /src/deep/c.txt -> /lib/c.md', 'updated /lib/b.txt v2']))
    const after = await workspace.ids()
    expect([after['/lib'], after['/lib/b.txt'], after['/lib/c.md']]).toEqual([before['/src'], before['/src/b.txt'], before['/src/deep/c.txt']])
  })

  it('lets two files change places, and a file take the place of the folder that it was in', async () => {
    const workspace = await workspaces.with({ '/a': 'A', '/b': 'B', '/d/x': 'X', '/d/y': 'Y' })
    const before = await workspace.ids()
    const ran = await workspace.ok<Ran>('shell', { command: 'mv a t; mv b a; mv t b; mv d/x u; rm -r d; mv u d' })
    expect([...told(ran)].sort()).toEqual(['deleted /d', 'deleted /d/y', 'moved /a -> /b', 'moved /b -> /a', 'moved /d/x -> /d'])
    expect([await workspace.text('/a'), await workspace.text('/b'), await workspace.text('/d')]).toEqual(['B', 'A', 'X'])
    const after = await workspace.ids()
    expect([after['/a'], after['/b'], after['/d']]).toEqual([before['/b'], before['/a'], before['/d/x']])
    expect(await workspace.paths()).toEqual(['/a', '/b', '/d'])
  })

  it('gives a file that is made anew a new version, not a new life', async () => {
    const workspace = await workspaces.with({ '/f.txt': 'b\na\n', '/build/out.js': 'old', '/build/keep.js': 'keep' })
    const before = await workspace.ids()
    const ran = await workspace.ok<Ran>('shell', { command: 'sort f.txt > f.tmp && mv f.tmp f.txt; rm -rf build; mkdir build; echo -n new > build/out.js; echo -n keep > build/keep.js' })
    expect([...told(ran)].sort()).toEqual(['updated /build/out.js v2', 'updated /f.txt v2'])
    expect(await workspace.ids()).toEqual(before)
  })

  it('moves a file out of the way before its name is used again', async () => {
    const workspace = await workspaces.with({ '/f': 'old' })
    expect(told(await workspace.ok<Ran>('shell', { command: 'mv f f.bak; echo -n new > f' }))).toEqual(['moved /f -> /f.bak', 'created /f v1'])
  })

  it('keeps /tmp to itself, unless the workspace has one', async () => {
    const scratch = await workspaces.with({ '/a': 'a' })
    const ran = await scratch.ok<Ran>('shell', { command: 'echo x > /tmp/x; mkdir -p /tmp/d; cp a /tmp/d/a; cat /tmp/x /tmp/d/a > b' })
    expect(told(ran)).toEqual(['created /b v1'])
    expect(ran.notice).toContain('/tmp')
    const own = await workspaces.with({ '/tmp/old': 'a' })
    expect(told(await own.ok<Ran>('shell', { command: 'echo x > /tmp/x' }))).toEqual(['created /tmp/x v1'])
  })

  it('keeps what it wrote when it ends with an error, as a shell does', async () => {
    const workspace = await workspaces.with()
    expect(await workspace.ok<Ran>('shell', { command: 'echo x > a; false' })).toMatchObject({ exit_code: 1, changes: [{ path: '/a' }] })
  })

  it('copies bytes, whatever they are', async () => {
    const bytes = Buffer.from(Array.from({ length: 2048 }, (_, index) => index % 256))
    const workspace = await workspaces.with({ '/b.bin': bytes })
    await workspace.ok('shell', { command: 'cp b.bin c.bin; cat b.bin > d.bin; cat b.bin b.bin | head -c 2048 > e.bin; tar czf g.tgz b.bin; rm b.bin; tar xzf g.tgz' })
    for (const path of ['/b.bin', '/c.bin', '/d.bin', '/e.bin']) expect((await workspace.bytes(path)).equals(bytes), path).toBe(true)
  })
})

describe('the walls around a script', () => {
  it('are the workspace’s root: no dots lead out, and there are no links', async () => {
    const workspace = await workspaces.with({ '/a': 'x' })
    const ran = await workspace.ok<Ran>('shell', { command: 'echo up > /../x; echo up > ../../y; cat ../../../etc/passwd; ln -s /etc/passwd l; ln -s .. m; ln a h; cat l m/etc/passwd; cp /etc/passwd p; ls' })
    expect(told(ran)).toEqual(['created /x v1', 'created /y v1'])
    expect(JSON.stringify(ran)).not.toContain('root:')
    expect(ran.stdout).toBe('a\ndev\ntmp\nx\ny\n')
  })

  it.each([['echo x > $\'a\\x01b\'', 'EINVAL'], ['echo x > "a\\\\b"', 'EINVAL'], [`echo x > ${'n'.repeat(300)}`, 'ENAMETOOLONG'], ['echo x > a/b', 'ENOTDIR']])('refuse the name in %s', async (command, code) => {
    const workspace = await workspaces.with({ '/a': 'x' })
    expect((await workspace.refused('shell', { command })).message).toContain(code)
    expect(await workspace.paths()).toEqual(['/a'])
  })

  it('show neither another program’s files on disk, nor what a symlink there leads to', async () => {
    const workspace = await workspaces.with({ '/a': 'mine', '/d/b': 'deep' })
    await workspace.ok('ls', {})
    await workspace.stray('stray.txt', 'not of the workspace')
    await rm(join(workspace.folder, 'd'), { recursive: true, force: true })
    const outside = join(workspace.folder, '..', 'outside')
    await mkdir(outside, { recursive: true })
    await writeFile(join(outside, 'b'), 'secret from outside')
    await symlink(outside, join(workspace.folder, 'd'))
    await rm(join(workspace.folder, 'a'), { force: true })
    await symlink(join(outside, 'b'), join(workspace.folder, 'a'))
    const behind = await workspace.withMirrorAsItIs()
    const ran = await behind.ok<Ran>('shell', { command: 'cat a; echo; cat d/b; echo; ls; cat stray.txt' })
    expect(ran.stdout).toBe('mine\ndeep\na\nd\ndev\ntmp\n')
    await rm(outside, { recursive: true, force: true })
  })
})

describe('a script that goes on for ever', () => {
  it.each([
    ['while true; do :; done', 'the time limit of 1 second'],
    ['sleep 100', 'the time limit of 1 second'],
    ['f() { f | f & }; f', 'recursion depth'],
    ['x=a; while true; do x="$x$x"; done', 'limit exceeded'],
    ['seq 1 100000000 | head -3', 'limit'],
    ['awk "BEGIN{while(1){}}"', 'maximum iterations'],
    ['jq -n "[range(100000000)]|length"', 'limit'],
    ['while true; do printf "%1000000s" x >> big; done', 'ended'],
  ])('is ended: %s', async (command, words) => {
    const workspace = await workspaces.with()
    const error = await workspace.refused('shell', { command: `echo before > kept.txt; echo started; ${command}`, timeout_s: words.startsWith('the time') ? 1 : 20 })
    expect(error.message).toContain(words.replace('1 second', '1 seconds'))
    expect(error.message).toContain('started')
    expect(await workspace.paths()).toEqual([])
  })

  it('is ended when it eats memory, and nobody else notices', { timeout: 60_000 }, async () => {
    const workspace = await workspaces.with()
    const error = await workspace.refused('shell', { command: 'x=$(seq 1 100000); while true; do y="$y$x"; z+=("$y"); done', timeout_s: 40 })
    expect(error.message).toMatch(/memory|limit/)
    expect(await workspace.ok<Ran>('shell', { command: 'echo alive' })).toMatchObject({ stdout: 'alive\n' })
  })

  it('leaves a pipe without end to whoever reads it: there is no such program', async () => {
    const workspace = await workspaces.with()
    expect(await workspace.ok<Ran>('shell', { command: 'yes | head -3' })).toMatchObject({ stderr: expect.stringContaining('command not found') as string })
  })

  it('shows the beginning and the end of much output', async () => {
    const workspace = await workspaces.with()
    const ran = await workspace.ok<Ran>('shell', { command: 'seq 1 300000' })
    expect(ran.stdout.startsWith('1\n2\n3\n')).toBe(true)
    expect(ran.stdout.endsWith('299999\n300000\n')).toBe(true)
    expect(ran.stdout.length).toBeLessThan(110_000)
    expect(ran).toMatchObject({ truncated: true, notice: expect.stringContaining('left out') as string })
  })

  it('rejects with the reason of an abort, at once, and leaves nothing', async () => {
    const workspace = await workspaces.with()
    const stop = new AbortController()
    const reason = new Error('stopped by the user')
    setTimeout(() => stop.abort(reason), 700)
    const startedAt = performance.now()
    await expect(workspace.run('shell', { command: 'echo x > a; while true; do :; done' }, { signal: stop.signal })).rejects.toBe(reason)
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    expect(await workspace.paths()).toEqual([])
  })
})

describe('two scripts at once', () => {
  it('on one file: one wins, the other is told which file changed, and nothing of it is kept', async () => {
    const workspace = await workspaces.with({ '/n': '1\n' })
    const first = await workspace.prepare('shell', { command: 'echo first >> n; echo first > one' })
    const second = await workspace.prepare('shell', { command: 'echo second >> n; echo second > two' })
    expect(await workspace.apply(first)).toMatchObject({ changes: [{ path: '/n', version: 2 }, { path: '/one' }] })
    await expect(workspace.apply(second)).rejects.toMatchObject({ code: 'version_mismatch', message: expect.stringContaining('"/n"') as string })
    expect(await workspace.text('/n')).toBe('1\nfirst\n')
    expect(await workspace.paths()).toEqual(['/n', '/one'])
  })

  it('on different files: both', async () => {
    const workspace = await workspaces.with({ '/a': 'a', '/b': 'b' })
    const first = await workspace.prepare('shell', { command: 'echo 1 > a' })
    const second = await workspace.prepare('shell', { command: 'echo 2 > b; cat a > c' })
    await workspace.apply(first)
    expect(await workspace.apply(second)).toMatchObject({ changes: [{ path: '/b' }, { path: '/c' }] })
  })

  it.each([
    ['a file came into a folder that goes', 'rm -r d', '/d/new'],
    ['something came where a new file goes', 'echo x > e', '/e'],
    ['a file changed that is moved', 'mv d/f g', '/d/f'],
    ['a file changed that is removed', 'rm d/f', '/d/f'],
  ])('is refused when %s', async (_what, command, written) => {
    const workspace = await workspaces.with({ '/d/f': 'f' })
    const prepared = await workspace.prepare('shell', { command })
    await workspace.put(written, 'of somebody else')
    await expect(workspace.apply(prepared)).rejects.toMatchObject({ code: 'version_mismatch' })
    expect(await workspace.text(written)).toBe('of somebody else')
  })
})
