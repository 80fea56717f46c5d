/** How well the offline embedder does on our own pages. It compares words and parts of words; these tests say what that is good for, and what it is not. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { SemanticFixture, type SemanticNode } from './support/semantic-fixture.ts'

const ROOT = join(import.meta.dirname, '../..')

let semantic: SemanticFixture
let node: SemanticNode
let workspaceId: string

beforeAll(async () => {
  semantic = await SemanticFixture.create()
  node = semantic.startNode()
  workspaceId = await semantic.files.newWorkspace()
  const pages = globSync('docs/decisions/00{01,02,03,04,05,06,07,08,09,10,11}-*.md', { cwd: ROOT })
  await semantic.write(node, workspaceId, {
    ...Object.fromEntries(pages.map((path) => [`/${path}`, readFileSync(join(ROOT, path), 'utf8')])),
    '/garage.md': '# The garage\n\nThe car stands in the garage. Its tyres were changed in March.\n',
  })
  await semantic.settled(node, workspaceId)
})
afterAll(() => semantic[Symbol.asyncDispose]())

const found = async (query: string): Promise<readonly string[]> => (await semantic.search(node, workspaceId, { query, limit: 3 })).map(({ path }) => path.replace(/^\/docs\/decisions\/(\d+).*/, '$1'))

it.each([
  ['0003', 'turns are queued in a table and claimed by workers'],
  ['0004', 'committing the answer of a model before its tools run'],
  ['0008', 'running without a key: an offline model over HTTP'],
  ['0009', 'copies on disk that repair themselves'],
])('a question in other words than the text, of which some have the same stem, finds decision %s: %s', async (decision, question) => {
  expect(await found(question)).toContain(decision)
})

it('a question whose few telling words drown in common ones is not found: every word counts the same', async () => {
  expect(await found('database engine')).toContain('0002')
  expect(await found('why is there only one engine for the database')).not.toContain('0002')
})

it('a question that shares no word with the text is not found: the offline embedder knows no meaning', async () => {
  expect(await found('car in the garage')).toContain('/garage.md')
  expect(await found('automobile parking')).not.toContain('/garage.md')
})
