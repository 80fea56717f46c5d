import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'
import { AppError } from '../errors.ts'
import { TOOL_NAMES, WORKSPACE_TOOLS } from './registry.ts'
import { failedOutcome, prepareCall } from './run-tool.ts'
import type { ToolContext } from './tool.ts'
import { toolParameters } from './tool-parameters.ts'

describe('running a tool', () => {
  let workspaces: ToolWorkspaces
  beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
  afterAll(() => workspaces[Symbol.asyncDispose]())

  it('names the tools that exist when a model invents one', async () => {
    const workspace = await workspaces.with()
    expect(await workspace.refused('list_dir', {})).toEqual({ code: 'not_found', message: `There is no tool named "list_dir". The tools are: ${TOOL_NAMES.join(', ')}.` })
  })

  it('names every bad argument, and those that exist', async () => {
    const workspace = await workspaces.with()
    const { code, message } = await workspace.refused('read', { file: '/a', limit: 'many', offset: 1.5 })
    expect(code).toBe('invalid_request')
    expect(message).toBe(
      ['The arguments of read are not valid:', '- path: missing; must be text (a JSON string)', '- offset: must be a whole number', '- limit: must be a whole number', '- unknown argument "file"', 'Allowed arguments: path, offset, limit, cursor.'].join('\n'),
    )
  })

  it.each([['text'], [[1]], [7]])('says that %j is no set of arguments', async (args) => {
    const workspace = await workspaces.with()
    expect((await workspace.refused('ls', args)).message).toContain('expected an object with the arguments')
  })

  it('lets no writing tool change anything but plans in plan mode', async () => {
    const workspace = await workspaces.with({ '/a': 'x' })
    for (const tool of WORKSPACE_TOOLS.filter((candidate) => candidate.effect === 'write' && candidate.inPlanMode === undefined)) {
      const outcome = await workspace.run(tool.name, { path: '/a' }, { mode: 'plan' })
      expect(outcome, tool.name).toMatchObject({ ok: false, error: { code: 'conflict', message: expect.stringContaining('plan mode') as string } })
    }
    expect(await workspace.run('read', { path: '/a' }, { mode: 'plan' })).toMatchObject({ ok: true })
  })

  it.each([
    ['write', { content: 'x', overwrite: true }],
    ['edit', { old_string: 'x', new_string: 'y' }],
    ['multi_edit', { edits: [{ old_string: 'x', new_string: 'y' }] }],
    ['touch', {}],
  ])('lets %s work on plans in plan mode, and on nothing else', async (tool, args) => {
    const workspace = await workspaces.with({ '/a.plan': 'x', '/plans/a.md': 'x', '/plans/a.plan': 'x' })
    for (const path of ['/a.plan', '/plans/a.md', '/plans', '/plans.plan', '/plans/x.plan/y']) {
      expect(await workspace.run(tool, { ...args, path }, { mode: 'plan' }), path).toMatchObject({ ok: false, error: { code: 'conflict', message: expect.stringContaining('In plan mode') as string } })
    }
    expect(await workspace.run(tool, { ...args, path: '/plans/../a.plan' }, { mode: 'plan' })).toMatchObject({ ok: false, error: { code: 'invalid_request' } })
    expect(await workspace.run(tool, { ...args, path: 'plans/./a.plan' }, { mode: 'plan' })).toMatchObject({ ok: true })
    expect(await workspace.text('/a.plan')).toBe('x')
  })

  it('changes nothing before apply', async () => {
    const workspace = await workspaces.with()
    const prepared = await workspace.prepare('write', { path: '/a', content: 'x' })
    expect(await workspace.paths()).toEqual([])
    expect(await workspace.apply(prepared)).toMatchObject({ path: '/a', version: 1 })
    expect(await workspace.text('/a')).toBe('x')
  })

  it('rejects with the reason of an abort', async () => {
    const workspace = await workspaces.with()
    const reason = new Error('stopped')
    await expect(workspace.run('ls', {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('passes on what is no refusal, and gives a model a text without its details', async () => {
    const broken: ToolContext = {
      conn: { run: () => Promise.reject(new Error('password=hunter2')) }, workspaceId: '', userId: '', mode: 'build', signal: new AbortController().signal,
      files: { stat: never, list: never, read: never, readMany: never }, search: { grep: never, glob: never, search: never }, shell: { run: never }, pages: { read: never }, webSearch: undefined,
    }
    const failure = await prepareCall({ name: 'ls', args: {} }, broken).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Error)
    expect(failedOutcome(failure).error.code).toBe('internal')
    expect(JSON.stringify(failedOutcome(failure))).not.toContain('hunter2')
    expect(failedOutcome(new AppError('conflict', 'There is one.')).error).toEqual({ code: 'conflict', message: 'There is one.' })
  })
})

const ESCAPES = ['../../etc/passwd', '/../etc/passwd', 'a/../../b', '/a/..', '..', 'a\0b', '..\\..\\etc', 'C:\\x', 'a\u0007b', `/${'x'.repeat(256)}`, `/${'y/'.repeat(600)}z`]
const PATH_ARGUMENTS = ['path', 'paths', 'source', 'destination', 'path_pattern', 'cwd']
/** These name their files by other means, which their own tests try. */
const WITHOUT_PATH: readonly string[] = ['apply_patch', 'plan_list', 'memory_set', 'memory_get', 'memory_search', 'memory_delete', 'memory_list', 'web_fetch', 'web_search']
/** These answer for each path by itself. */
const PER_PATH: readonly string[] = ['read_multiple_files', 'cat']
const NEEDED: Readonly<Record<string, unknown>> = { content: 'x', title: 't', status: 'done', pattern: 'root', source: '/inside.txt', destination: '/there.txt', old_string: 'inside', new_string: 'changed', edits: [{ old_string: 'inside', new_string: 'changed' }], path: '/inside.txt', command: 'ls' }

describe('no path of a tool leaves the workspace', () => {
  let workspaces: ToolWorkspaces
  beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
  afterAll(() => workspaces[Symbol.asyncDispose]())

  const cases = WORKSPACE_TOOLS.flatMap((tool) => {
    const names = Object.keys(toolParameters(tool).properties)
    return names.filter((name) => PATH_ARGUMENTS.includes(name)).map((argument) => ({ tool: tool.name, names, argument }))
  })

  it('covers every tool', () => {
    expect([...new Set(cases.map((entry) => entry.tool)), ...WITHOUT_PATH].toSorted()).toEqual(TOOL_NAMES.toSorted())
  })

  it.each(cases)('$tool: $argument', async ({ tool, names, argument }) => {
    const workspace = await workspaces.with({ '/inside.txt': 'inside' })
    const needed = Object.fromEntries(names.filter((name) => name in NEEDED && !(tool === 'glob' && name === 'path')).map((name) => [name, NEEDED[name]]))
    for (const path of ESCAPES) {
      const outcome = await workspace.run(tool, { ...needed, [argument]: path })
      const refused = PER_PATH.includes(tool) ? { ok: true, output: { files: [{ error: { code: 'invalid_request' } }] } } : { ok: false, error: { code: 'invalid_request' } }
      expect(outcome, path).toMatchObject(refused)
    }
    // An absolute path is below the workspace's root, and an encoded one is a strange name: neither is there.
    for (const path of ['/etc/passwd', '//etc/passwd', '%2e%2e/etc/passwd', '~/x', 'file:///etc/passwd']) {
      const outcome = await workspace.run(tool, { ...needed, [argument]: path })
      expect(JSON.stringify(outcome), path).not.toContain('root:')
    }
    for (const path of await workspace.paths()) expect(path.startsWith('/')).toBe(true)
  })

  it.each(['..', '../*', 'a/../../*', '**/..', '{a,..}/*', '\\.\\./x', 'a\\b', 'a\0'])('glob and grep refuse the pattern %j', async (pattern) => {
    const workspace = await workspaces.with({ '/a': 'x' })
    expect(await workspace.refused('glob', { pattern })).toMatchObject({ code: 'invalid_request' })
    expect(await workspace.refused('grep', { pattern: 'x', path_pattern: pattern })).toMatchObject({ code: 'invalid_request' })
  })
})

function never(): Promise<never> {
  return Promise.reject(new Error('not to be called'))
}
