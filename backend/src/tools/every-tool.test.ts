import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces, type ToolWorkspace } from '../../test/support/tool-workspace.ts'
import { WORKSPACE_TOOLS } from './registry.ts'
import { toolParameters } from './tool-parameters.ts'

/** What a call needs besides the argument that is tried; whatever is not named here is a word. */
const NEEDED: Readonly<Record<string, unknown>> = {
  path: '/inside.txt', paths: ['/inside.txt'], source: '/inside.txt', destination: '/there.txt', pattern: 'inside', content: 'x', command: 'ls', url: 'https://127.0.0.1/', query: 'inside',
  old_string: 'inside', new_string: 'changed', edits: [{ old_string: 'inside', new_string: 'changed' }], version: 1,
  scope: 'global', list_type: 'memories',
}

interface Case {
  readonly tool: string
  readonly argument: string
  readonly isList: boolean
  readonly needed: Readonly<Record<string, unknown>>
}

/** Every argument of every tool that takes text, or a list of texts. */
const cases: readonly Case[] = WORKSPACE_TOOLS.flatMap((tool) => {
  const { properties, required } = toolParameters(tool)
  const needed = Object.fromEntries(required.map((name) => [name, NEEDED[name] ?? 'word']))
  return Object.entries(properties).flatMap(([argument, schema]) => {
    const types = [schema['type']].flat()
    if (Array.isArray(schema['enum']) || !(types.includes('string') || types.includes('array'))) return []
    return [{ tool: tool.name, argument, isList: types.includes('array'), needed: { ...needed, ...(argument === 'content' && { path: '/new.txt' }) } }]
  })
})

let workspaces: ToolWorkspaces
let workspace: ToolWorkspace
/** Beside the workspace's folder on disk: nothing here may be read, made or run. */
let outside: string

beforeAll(async () => {
  workspaces = await ToolWorkspaces.open()
  workspace = await workspaces.with({ '/inside.txt': 'inside', '/dir/deep.txt': 'deep' })
  await workspace.ok('ls', {})
  await workspace.stray('stray.txt', 'a stray file')
  outside = join(workspace.folder, '..', 'outside')
  await mkdir(outside, { recursive: true })
  await writeFile(join(outside, 'secret.txt'), 'the secret from outside')
  await writeFile(join(outside, 'run.sh'), `#!/bin/sh\necho ran > ${join(outside, 'ran')}\n`)
  await chmod(join(outside, 'run.sh'), 0o755)
  await symlink(outside, join(workspace.folder, 'link'))
  await symlink(join(outside, 'secret.txt'), join(workspace.folder, 'link.txt'))
})
afterAll(() => workspaces[Symbol.asyncDispose]())

/** Tries the values one after another: whatever a tool answers, nothing outside is touched, shown or run. */
async function attempt({ tool, argument, isList, needed }: Case, values: readonly string[]): Promise<void> {
  // A script starts a thread each time, and what may stand in it is tried in its own tests: a few do.
  const tried = tool === 'shell' && argument !== 'cwd' ? values.filter((_, index) => index % 5 === 0) : values
  for (const value of tried) {
    const outcome = await workspace.run(tool, { ...needed, [argument]: isList ? [value] : value })
    const shown = JSON.stringify(outcome)
    expect(shown, value).not.toMatch(/the secret from outside|root:x?:0|a stray file/)
    // A fault of ours would be an exception or `internal`, not a refusal.
    expect(shown, value).not.toContain('"internal"')
  }
  expect(await readdir(outside)).toEqual(['run.sh', 'secret.txt'])
  expect(await readFile(join(outside, 'secret.txt'), 'utf8')).toBe('the secret from outside')
  for (const path of await workspace.paths()) expect(path).toMatch(/^(?:\/(?!\.\.?(?:\/|$))[^/]+)+$/)
  await workspace.run('write', { path: '/inside.txt', content: 'inside', overwrite: true })
}

it('tries every tool but the one that takes no text', () => {
  expect([...new Set(cases.map(({ tool }) => tool))]).toEqual(WORKSPACE_TOOLS.map(({ name }) => name).filter((name) => name !== 'plan_list'))
})

describe('B12: no argument of a tool can become a flag', () => {
  it.each(cases)('$tool: $argument', { timeout: 120_000 }, async (entry) => {
    const run = join(outside, 'run.sh')
    await attempt(entry, [`--pre=${run}`, `--pre ${run}`, '-rf', '--', '-', `--hostname-bin=${run}`, '--no-ignore', '--follow', '-f/etc/passwd', `--file=${join(outside, 'secret.txt')}`])
  })

  it('grep pattern beginning with - is text', async () => {
    const flags = await workspaces.with({ '/flags.md': 'use --pre=sh here\n-rf\n--files\n-e x\n--\n' })
    for (const pattern of ['--pre=sh', '-rf', '--files', '-e x', '--']) {
      const { matches } = await flags.ok<{ matches: { line_text: string }[] }>('grep', { pattern })
      expect(matches.length, pattern).toBeGreaterThan(0)
      for (const match of matches) expect(match.line_text).toContain(pattern)
    }
    expect(await flags.ok('shell', { command: 'grep -n -e --pre=sh flags.md' })).toMatchObject({ stdout: '1:use --pre=sh here\n' })
  })
})

describe('B15: symlinks, .., absolute, NUL and encoded variants never escape', () => {
  it.each(cases)('$tool: $argument', { timeout: 120_000 }, async (entry) => {
    const secret = join(outside, 'secret.txt')
    await attempt(entry, [
      '..', '../outside/secret.txt', '/../outside/secret.txt', 'dir/../../outside/secret.txt', '/dir/deep.txt/../../../outside/secret.txt', secret, `/${secret}`, '/etc/passwd', `file://${secret}`,
      'inside.txt\0../outside/secret.txt', '..\\outside\\secret.txt', '%2e%2e/outside/secret.txt', '..%2foutside%2fsecret.txt', '%2e%2e%2foutside', '．．/outside/secret.txt', '..／outside', '\u202e../outside',
      'link', 'link/secret.txt', '/link/run.sh', 'link.txt', '/stray.txt', '~/x', '${HOME}', '$(cat /etc/passwd)', '/proc/self/environ', '/dev/stdin', `/${'x'.repeat(256)}`, `/${'y/'.repeat(600)}z`, '\ud800', 'a\u0007b\u001b[2J',
    ])
  })
})
