import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ToolWorkspaces } from '../../test/support/tool-workspace.ts'

interface PlanOutput {
  readonly path: string
  readonly content: string
  readonly hash: string
  readonly status: string
  readonly created_at: string
  readonly updated_at: string
  readonly items: readonly { readonly item: number; readonly text: string; readonly done: boolean }[]
}
interface PlanList {
  readonly plans: readonly { readonly path: string; readonly name: string; readonly status: string | null; readonly progress: object | null; readonly problem: string | null }[]
  readonly total: number
  readonly notice: string | null
}

const BODY = '# Steps\n\n- [ ] Write the test\n- [x] Read the code\n  1. [ ] Ask Ada\n```\n- [ ] no item, but code\n```\n* [X] Draw it\n'

describe('plans', () => {
  let workspaces: ToolWorkspaces
  beforeAll(async () => void (workspaces = await ToolWorkspaces.open()))
  afterAll(() => workspaces[Symbol.asyncDispose]())

  describe('plan_write', () => {
    it('stores a readable file of type plan, called by its title', async () => {
      const workspace = await workspaces.with()
      expect(await workspace.ok('plan_write', { title: 'Add a log-in: für Ünï!', content: BODY })).toMatchObject({ path: '/plans/add-a-log-in-für-ünï.plan', version: 1, status: 'draft', progress: { done: 2, total: 4 }, created: true })
      expect(await workspace.text('/plans/add-a-log-in-für-ünï.plan')).toMatch(/^---\ntitle: "Add a log-in: für Ünï!"\nstatus: draft\ncreated_at: \S+Z\nupdated_at: \S+Z\n---\n# Steps\n/)
      expect(await workspace.ok('file_info', { path: '/plans/add-a-log-in-für-ünï.plan' })).toMatchObject({ file_type: 'plan' })
    })

    it('numbers plans of the same title, also when they are written at once', async () => {
      const workspace = await workspaces.with()
      const paths: unknown[] = []
      for (const title of ['Same', 'same!', '???', '']) paths.push((await workspace.run('plan_write', { title, content: 'x' })) as object)
      expect(paths).toMatchObject([{ output: { path: '/plans/same.plan' } }, { output: { path: '/plans/same-2.plan' } }, { output: { path: '/plans/plan.plan' } }, { ok: false, error: { code: 'invalid_request' } }])
      const prepared = await Promise.all([1, 2, 3].map(() => workspace.prepare('plan_write', { title: 'Same', content: 'x' })))
      const written = await Promise.all(prepared.map((call) => workspace.apply(call)))
      expect(written.map((output) => (output as PlanOutput).path).sort()).toEqual(['/plans/same-3.plan', '/plans/same-4.plan', '/plans/same-5.plan'])
    })

    it.each([['name', '/plans/name.plan'], ['name.plan', '/plans/name.plan'], ['team/name', '/plans/team/name.plan'], ['/plans/name.plan', '/plans/name.plan'], ['plans/x/../y', undefined], ['/plans/../x', undefined], ['/elsewhere/x.plan', undefined], ['/plans', undefined], ['/', undefined]])(
      'W31: takes the path %j as a plan below /plans, or refuses it',
      async (path, expected) => {
        const workspace = await workspaces.with()
        const outcome = await workspace.run('plan_write', { title: 'T', content: 'x', path })
        expect(outcome).toMatchObject(expected === undefined ? { ok: false, error: { code: 'invalid_request' } } : { ok: true, output: { path: expected } })
        expect((await workspace.paths()).filter((found) => !found.startsWith('/plans'))).toEqual([])
      },
    )

    it('never overwrites a plan unless told to, and then keeps when it was made', async () => {
      const workspace = await workspaces.with()
      await workspace.ok('plan_write', { title: 'One', content: 'old', path: 'p' })
      const first = await workspace.ok<PlanOutput>('plan_read', { path: 'p' })
      const error = await workspace.refused('plan_write', { title: 'Two', content: 'new', path: 'p' })
      expect(error).toMatchObject({ code: 'conflict', message: expect.stringMatching(/plan_edit.*overwrite: true/) as string })
      expect(await workspace.ok('plan_write', { title: 'Two', content: 'new', path: 'p', status: 'approved', overwrite: true })).toMatchObject({ version: 2, created: false })
      expect(await workspace.ok('plan_read', { path: 'p' })).toMatchObject({ title: 'Two', status: 'approved', content: 'new', created_at: first.created_at })
    })

    it('does not overwrite a plan that another writer made or changed meanwhile', async () => {
      const workspace = await workspaces.with({ '/plans/old.plan': 'a' })
      const fresh = await workspace.prepare('plan_write', { title: 'T', content: 'mine', path: 'new', overwrite: true })
      const replacing = await workspace.prepare('plan_write', { title: 'T', content: 'mine', path: 'old', overwrite: true })
      await workspace.put('/plans/new.plan', 'theirs')
      await workspace.put('/plans/old.plan', 'theirs')
      for (const call of [fresh, replacing]) await expect(workspace.apply(call)).rejects.toMatchObject({ code: 'version_mismatch' })
      expect(await workspace.text('/plans/new.plan')).toBe('theirs')
    })

    it('works in plan mode, as plan_edit does', async () => {
      const workspace = await workspaces.with()
      expect(await workspace.run('plan_write', { title: 'T', content: '- [ ] a', path: 'p' }, { mode: 'plan' })).toMatchObject({ ok: true })
      expect(await workspace.run('plan_edit', { path: 'p', check: ['1'] }, { mode: 'plan' })).toMatchObject({ ok: true })
      expect(await workspace.run('memory_set', { scope: 'global', category: 'c', key: 'k', title: 't', content: 'x' }, { mode: 'plan' })).toMatchObject({ ok: false, error: { code: 'conflict' } })
    })
  })

  describe('plan_read', () => {
    it('tells title, status, progress and numbered items, and gives the text exactly', async () => {
      const workspace = await workspaces.with()
      await workspace.ok('plan_write', { title: 'T', content: BODY, path: 'deep/er/p' })
      const { items, ...output } = await workspace.ok<PlanOutput>('plan_read', { path: 'p' })
      expect(output).toMatchObject({ path: '/plans/deep/er/p.plan', title: 'T', status: 'draft', content: BODY, progress: { done: 2, total: 4 }, version: 1, truncated: false, notice: null })
      expect(items).toEqual([{ item: 1, text: 'Write the test', done: false }, { item: 2, text: 'Read the code', done: true }, { item: 3, text: 'Ask Ada', done: false }, { item: 4, text: 'Draw it', done: true }])
      expect(await workspace.ok('plan_read', { path: 'p', offset: 2, limit: 1 })).toMatchObject({ content: '- [ ] Write the test\n', truncated: true, cursor: 3 })
    })

    it('reads a file without front matter as a draft, called by its heading', async () => {
      const workspace = await workspaces.with({ '/plans/a.plan': '# By hand\n- [ ] x', '/plans/b.plan': 'no heading' })
      expect(await workspace.ok('plan_read', { path: 'a' })).toMatchObject({ title: 'By hand', status: 'draft', created_at: null, progress: { done: 0, total: 1 } })
      expect(await workspace.ok('plan_read', { path: 'b' })).toMatchObject({ title: 'b' })
    })

    it('W32: reads front matter with CRLF, and dashes in values', async () => {
      const workspace = await workspaces.with({ '/plans/a.plan': '---\r\ntitle: one --- two\r\nstatus: done\r\n---\r\n- [x] a\r\n' })
      expect(await workspace.ok('plan_read', { path: 'a' })).toMatchObject({ title: 'one --- two', status: 'done', content: '- [x] a\r\n', items: [{ text: 'a', done: true }] })
    })

    it.each([
      ['YAML that is none', '---\ntitle: a\nstatus: [\n---\n', /line 4|line 3/],
      ['a status that there is not', '---\ntitle: a\n\nstatus: doing\n---\n', /line 4, column 1: "status" must be one of draft, approved, in_progress, done, cancelled/],
      ['a title that is no text', '---\ntitle: [a]\n---\n', /line 2, column 1: "title" must be text/],
      ['code', '---\ntitle: !!js/function "() => 1"\n---\n', /line 2/],
      ['no end', '---\ntitle: a\n', /line 1, column 1: .*no closing line/],
    ])('names the line of a front matter with %s', async (_, text, message) => {
      const workspace = await workspaces.with({ '/plans/a.plan': text })
      for (const [tool, args] of [['plan_read', {}], ['plan_edit', { status: 'done' }]] as const) {
        const error = await workspace.refused(tool, { path: 'a', ...args })
        expect(error.code).toBe('unprocessable')
        expect(error.message).toMatch(message)
      }
    })

    it('names near names for a plan that is not there, and those that could be meant', async () => {
      const workspace = await workspaces.with({ '/plans/a/login.plan': 'x', '/plans/b/login.plan': 'x', '/plans/release.plan': 'x' })
      expect((await workspace.refused('plan_read', { path: 'relase' })).message).toContain('Did you mean "/plans/release.plan"?')
      expect((await workspace.refused('plan_read', { path: 'login' })).message).toContain('Several plans are called "login": "/plans/a/login.plan", "/plans/b/login.plan"')
      const empty = await workspaces.with()
      expect(await empty.refused('plan_read', { path: 'x' })).toMatchObject({ code: 'not_found', message: expect.stringContaining('no plans yet') as string })
    })
  })

  describe('plan_edit', () => {
    const front = '---\n# ours\ntitle: T\nstatus: draft\nowner: Ada # keeps this\ncreated_at: 2026-01-01T00:00:00Z\nupdated_at: 2026-01-01T00:00:00Z\n---\n'

    it('ticks items off and on by number or text, sets the status and edits the text, keeping everything else', async () => {
      const workspace = await workspaces.with({ '/plans/p.plan': front + BODY })
      const args = { path: 'p', check: ['write the TEST', '#3'], uncheck: [2], status: 'in_progress', old_string: 'Draw it', new_string: 'Paint it' }
      expect(await workspace.refused('plan_edit', args)).toMatchObject({ code: 'invalid_request' })
      expect(await workspace.ok('plan_edit', { ...args, uncheck: '2' })).toMatchObject({ path: '/plans/p.plan', status: 'in_progress', progress: { done: 3, total: 4 }, version: 2, unchanged: false })
      expect(await workspace.text('/plans/p.plan')).toMatch(
        /^---\n# ours\ntitle: T\nstatus: in_progress\nowner: Ada # keeps this\ncreated_at: 2026-01-01T00:00:00Z\nupdated_at: 2[^\n]*Z\n---\n# Steps\n\n- \[x\] Write the test\n- \[ \] Read the code\n {2}1\. \[x\] Ask Ada\n```\n- \[ \] no item, but code\n```\n\* \[X\] Paint it\n$/,
      )
    })

    it('makes no version when nothing is new', async () => {
      const workspace = await workspaces.with({ '/plans/p.plan': front + BODY })
      expect(await workspace.ok('plan_edit', { path: 'p', check: ['2'], status: 'draft' })).toMatchObject({ version: 1, unchanged: true })
    })

    it('keeps CRLF and gives front matter to a plan that has none', async () => {
      const workspace = await workspaces.with({ '/plans/p.plan': '---\r\ntitle: T\r\n---\r\n- [ ] a\r\n- [ ] b\r\n', '/plans/q.plan': '- [ ] a\n' })
      await workspace.ok('plan_edit', { path: 'p', check: ['b'], status: 'done' })
      expect(await workspace.text('/plans/p.plan')).toMatch(/^---\r\ntitle: T\r\nstatus: done\r\nupdated_at: \S+\r\n---\r\n- \[ \] a\r\n- \[x\] b\r\n$/)
      await workspace.ok('plan_edit', { path: 'q', status: 'approved' })
      expect(await workspace.text('/plans/q.plan')).toMatch(/^---\nstatus: approved\nupdated_at: \S+\n---\n- \[ \] a\n$/)
    })

    it.each([
      ['nothing to do', {}, 'invalid_request', /There is nothing to do\. Give check/],
      ['an item that is not there, with those like it', { check: ['Write tests'] }, 'conflict', /no item "Write tests".*Did you mean 1: "Write the test"/],
      ['a number that is none', { check: ['9'] }, 'conflict', /Its items are 1: "Write the test", 2:/],
      ['a name that is not clear', { check: ['Re'] }, 'conflict', /several items: 2: "Read the code", 5: "Read more"/],
      ['an item named twice', { check: ['1'], uncheck: ['Write the test'] }, 'invalid_request', /named twice/],
      ['text that is not there', { old_string: 'Zzz', new_string: 'x' }, 'conflict', /old_string is not in "\/plans\/p\.plan"/],
      ['a status that there is not', { status: 'open' }, 'invalid_request', /status: must be one of draft/],
      ['a hash of another version', { status: 'done', last_read_hash: '0'.repeat(64) }, 'version_mismatch', /has changed since you read it/],
    ])('refuses %s, and changes nothing', async (...[, args, code, message]) => {
      const workspace = await workspaces.with({ '/plans/p.plan': `${front}${BODY}- [ ] Read more\n` })
      const error = await workspace.refused('plan_edit', { path: 'p', ...args })
      expect(error.code).toBe(code)
      expect(error.message).toMatch(message)
      expect(await workspace.ok('file_info', { path: '/plans/p.plan' })).toMatchObject({ version: 1 })
    })

    it('lets one of two edits at once win', async () => {
      const workspace = await workspaces.with({ '/plans/p.plan': BODY })
      const prepared = await Promise.all(['1', '3'].map((item) => workspace.prepare('plan_edit', { path: 'p', check: item })))
      const outcomes = await Promise.allSettled(prepared.map((call) => workspace.apply(call)))
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    })
  })

  describe('plan_list', () => {
    it('W14, B25: finds plans at any depth below /plans, the newest first, with status and progress, broken ones with their problem', async () => {
      const workspace = await workspaces.with({
        '/plans/a.plan': '---\nstatus: done\n---\n- [x] a\n- [ ] b\n', '/plans/x/y/b.plan': '# B\n', '/plans/c.plan': '---\nstatus: [\n---\n',
        '/plans/readme.md': 'no plan', '/other.plan': 'elsewhere', '/plans/image.plan': Buffer.from([0xff, 0]), '/plansx/d.plan': 'a neighbour',
      })
      const { plans, total } = await workspace.ok<PlanList>('plan_list', {})
      expect(plans.map(({ path, status, progress }) => [path, status, progress])).toEqual([
        ['/plans/image.plan', null, null], ['/plans/c.plan', null, null], ['/plans/x/y/b.plan', 'draft', { done: 0, total: 0 }], ['/plans/a.plan', 'done', { done: 1, total: 2 }],
      ])
      expect(plans.map(({ problem }) => problem)).toEqual([expect.stringContaining('not text'), expect.stringContaining('Line'), null, null])
      expect(total).toBe(4)
      expect(await workspace.ok('plan_list', { status: 'done' })).toMatchObject({ plans: [{ name: 'a' }], total: 1 })
      expect(await workspace.ok('plan_list', { limit: 1 })).toMatchObject({ plans: [{ name: 'image' }], total: 4, truncated: true, notice: expect.stringContaining('1 of 4') as string })
    })

    it('is empty without plans, and does not find those in the trash', async () => {
      const workspace = await workspaces.with()
      expect(await workspace.ok('plan_list', {})).toEqual({ plans: [], total: 0, truncated: false, notice: null })
      await workspace.ok('plan_write', { title: 'T', content: 'x', path: 'p' })
      await workspace.ok('rm', { path: '/plans/p.plan' })
      expect(await workspace.ok('plan_list', {})).toMatchObject({ total: 0 })
    })
  })
})
