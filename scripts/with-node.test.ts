import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** A small repository with the launcher and one script, and a `bin` with an `npx` and an `npm` that only pretend. */
let root: string
let bin: string
const launcher = (): string => join(root, 'scripts', 'with-node.mjs')

/** Makes this Node say that it is an old one, so that the launcher looks for another; the script that it starts then sees the truth. */
const OLD_NODE = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' })`

beforeAll(() => {
  root = join(realpathSync(mkdtempSync(join(tmpdir(), 'buildscale-with-node-'))), 'clone')
  bin = join(root, 'bin')
  mkdirSync(join(root, 'scripts'), { recursive: true })
  mkdirSync(bin)
  copyFileSync(join(import.meta.dirname, 'with-node.mjs'), launcher())
  writeFileSync(join(root, 'package-lock.json'), '{}')
  writeFileSync(join(root, 'old-node.cjs'), OLD_NODE)
  writeFileSync(
    join(root, 'script.ts'),
    `const [, , what, ...rest] = process.argv as string[]
    let interrupts: number = 0
    if (what === 'tell') console.log(JSON.stringify({ rest, node: process.versions.node, path: process.env['PATH'], script: process.argv[1] }))
    if (what === 'exit') process.exitCode = Number(rest[0])
    if (what === 'throw') throw new Error('on purpose')
    if (what === 'wait') {
      process.on('SIGINT', () => (interrupts += 1))
      process.on('SIGTERM', () => { console.log('interrupts', interrupts); process.exit(5) })
      setInterval(() => undefined, 1_000)
      console.log('waiting', process.pid)
    }`,
  )
  // Another path to this Node: to the launcher it is the new one that npm fetched.
  mkdirSync(join(root, 'fetched'))
  symlinkSync(process.execPath, join(root, 'fetched', 'node'))
  program('npx', `echo "some notice"; echo "${join(root, 'fetched', 'node')}"`)
  program('npm', `echo "npm $@" >&2; mkdir -p node_modules; exit \${NPM_STATUS:-0}`)
})
afterAll(() => rmSync(join(root, '..'), { recursive: true, force: true }))

function program(name: string, body: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`)
  chmodSync(join(bin, name), 0o755)
}

const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({ PATH: `${bin}${delimiter}/usr/bin${delimiter}/bin`, ...more })
const kinds = [
  { node: 'a supported Node', flags: [] as string[] },
  { node: 'an old Node', flags: ['-r', './old-node.cjs'] },
]

function run(flags: readonly string[], args: readonly string[], env = environment()) {
  return spawnSync(process.execPath, [...flags, launcher(), ...args], { cwd: root, env, encoding: 'utf8' })
}

function startWaiting(flags: readonly string[]): Promise<{ child: ChildProcess; script: number; output: () => string }> {
  const child = spawn(process.execPath, [...flags, launcher(), 'script.ts', 'wait'], { cwd: root, env: environment(), stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  return new Promise((done) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      const [, script] = /waiting (\d+)/.exec(output) ?? []
      if (script !== undefined) done({ child, script: Number(script), output: () => output })
    })
  })
}

const ended = (child: ChildProcess): Promise<{ code: number | null; signal: string | null }> => new Promise((done) => child.once('close', (code, signal) => done({ code, signal })))

describe.each(kinds)('under $node', ({ flags }) => {
  it('runs a TypeScript script with its arguments, exactly as they are', () => {
    const args = ['a b', '--flag', '', '$HOME', "it's"]
    const { stdout, status } = run(flags, ['script.ts', 'tell', ...args])
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ rest: args, node: process.versions.node, script: join(root, 'script.ts') })
  })

  it('puts the chosen Node first in PATH for whatever the script starts', () => {
    const { stdout } = run(flags, ['script.ts', 'tell'])
    const { path } = JSON.parse(stdout) as { path: string }
    expect(path.split(delimiter)[0]).toBe(flags.length === 0 ? join(process.execPath, '..') : join(root, 'fetched'))
  })

  it.each([0, 1, 2, 42])('ends with exit code %d when the script does', (code) => {
    expect(run(flags, ['script.ts', 'exit', String(code)]).status).toBe(code)
  })

  it('ends with 1 and the reason when the script throws', () => {
    const { status, stderr } = run(flags, ['script.ts', 'throw'])
    expect(status).toBe(1)
    expect(stderr).toContain('on purpose')
  })

  it('passes SIGTERM to the script and waits for its end', async () => {
    const { child } = await startWaiting(flags)
    child.kill('SIGTERM')
    expect(await ended(child)).toEqual({ code: 5, signal: null })
  })

  it('stays until the script has ended, however often somebody presses Ctrl-C', async () => {
    const { child, script, output } = await startWaiting(flags)
    for (let presses = 0; presses < 3; presses += 1) {
      child.kill('SIGINT')
      await new Promise((done) => setTimeout(done, 100))
    }
    expect(child.exitCode).toBeNull()
    child.kill('SIGTERM')
    expect((await ended(child)).code).toBe(5)
    expect(output()).toContain('interrupts 3')
    expect(() => process.kill(script, 0)).toThrow('ESRCH')
  })

  it('works in a clone that is reached through a symlink', () => {
    const link = join(root, '..', `link-${flags.length}`)
    symlinkSync(root, link)
    const { stdout } = spawnSync(process.execPath, [...flags, join(link, 'scripts', 'with-node.mjs'), 'script.ts', 'tell', 'here'], { cwd: root, env: environment(), encoding: 'utf8' })
    expect(JSON.parse(stdout)).toMatchObject({ rest: ['here'] })
  })

  it('installs once for each lockfile, and keeps stdout for the script', () => {
    rmSync(join(root, 'node_modules'), { recursive: true, force: true })
    const first = run(flags, ['--install', 'script.ts', 'exit', '0'])
    expect(first.stderr).toContain('npm ci --no-audit')
    expect(first.stdout).toBe('')
    expect(run(flags, ['--install', 'script.ts', 'exit', '0']).stderr).not.toContain('npm ci')
    writeFileSync(join(root, 'package-lock.json'), `{"changed": ${JSON.stringify(flags)}}`)
    expect(run(flags, ['--install', 'script.ts', 'exit', '0']).stderr).toContain('npm ci')
  })

  it('does not run the script when the install fails, and tries again next time', () => {
    rmSync(join(root, 'node_modules'), { recursive: true, force: true })
    const failed = run(flags, ['--install', 'script.ts', 'tell'], environment({ NPM_STATUS: '7' }))
    expect([failed.status, failed.stdout]).toEqual([7, ''])
    expect(run(flags, ['--install', 'script.ts', 'exit', '0']).stderr).toContain('npm ci')
  })
})

describe('dependencies that were installed by hand', () => {
  const lockfile = (version: string): string =>
    JSON.stringify({ packages: { '': {}, 'node_modules/a': { version }, 'node_modules/other-platform': { version: '1.0.0', optional: true } } })

  it.each([
    { installed: '1.0.0', title: 'are left as they are when they are what the lockfile asks for', installs: false },
    { installed: '0.9.0', title: 'are replaced when they are others', installs: true },
  ])('$title', ({ installed, installs }) => {
    rmSync(join(root, 'node_modules'), { recursive: true, force: true })
    mkdirSync(join(root, 'node_modules'))
    writeFileSync(join(root, 'package-lock.json'), lockfile('1.0.0'))
    writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: { 'node_modules/a': { version: installed } } }))
    expect(run([], ['--install', 'script.ts', 'exit', '0']).stderr.includes('npm ci')).toBe(installs)
  })
})

describe('an old Node', () => {
  it('without a way to a new one says why and what to do, and runs nothing', () => {
    const broken = join(root, 'broken-bin')
    mkdirSync(broken)
    writeFileSync(join(broken, 'npx'), '#!/bin/sh\necho "npm error EROFS: read-only file system, mkdir /home/ada/.npm" >&2\nexit 243\n')
    chmodSync(join(broken, 'npx'), 0o755)
    const { status, stderr, stdout } = run(['-r', './old-node.cjs'], ['script.ts', 'tell'], { PATH: `${broken}${delimiter}/usr/bin${delimiter}/bin` })
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/Node 20\.20\.2 is older.*read-only file system.*Could not get node@24.*Install Node 24 from https/s)
  })

  it('without npx says so', () => {
    const empty = join(root, 'empty-bin')
    mkdirSync(empty)
    const { status, stderr } = run(['-r', './old-node.cjs'], ['script.ts', 'tell'], { PATH: empty })
    expect(status).toBe(1)
    expect(stderr).toMatch(/npx ENOENT.*Install Node 24/s)
  })
})

it('without a script says how it is used', () => {
  const { status, stderr } = run([], [])
  expect(status).toBe(2)
  expect(stderr).toContain('usage:')
})

it('gives Node 22 another one too: it knows no `using` declarations', () => {
  writeFileSync(join(root, 'node-22.cjs'), OLD_NODE.replace('20.20.2', '22.23.3'))
  const { status, stderr } = run(['-r', './node-22.cjs'], ['script.ts', 'exit', '3'])
  expect([status, stderr]).toEqual([3, 'Node 22.23.3 is older than 24; using node@24 from npm.\n'])
})
