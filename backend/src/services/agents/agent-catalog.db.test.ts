import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.ts'
import { insertPerson } from '../../../test/support/chat-rows.ts'
import { userAuthor } from '../files/author.ts'
import { FileService } from '../files/file-service.ts'
import { writeFile } from '../files/file-tree.ts'
import { AgentCatalog } from './agent-catalog.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

const catalog = new AgentCatalog({ tools: ['ls', 'read'], modelFault: () => undefined })

/** A workspace with these files, written in one change. */
async function workspaceWith(files: Readonly<Record<string, string>>) {
  const { db } = database
  const { workspaceId, userId } = await insertPerson(db)
  const service = new FileService({ db, journal: { changed: () => undefined }, limits: { fileBytes: 1024 ** 3 } })
  await service.change({ workspaceId, author: userAuthor(userId) }, async (set) => {
    for (const [path, text] of Object.entries(files)) await writeFile(set, { path, content: Buffer.from(text) })
  })
  return workspaceId
}

const skill = (name: string) => `---\nname: ${name}\ndescription: Does ${name}.\n---\n`
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `s-${String(index).padStart(3, '0')}`)

describe('the catalog of a workspace', () => {
  it('counts the first 500 folders, says so with the last of them, and tells an agent of the first 100 skills and how many more there are', async () => {
    const workspaceId = await workspaceWith(Object.fromEntries(numbered(501).map((name) => [`/system/skills/${name}/SKILL.md`, skill(name)])))
    const { skills } = await catalog.definitions(database.db.kysely, workspaceId)
    expect(skills.map(({ name, warnings }) => [name, warnings.length]).slice(-2)).toEqual([['s-498', 0], ['s-499', 1]])
    const snapshot = await catalog.resolve(database.db.kysely, workspaceId, 'assistant')
    expect([snapshot.skills.length, snapshot.skills.at(-1)?.name, snapshot.unlisted_skills]).toEqual([100, 's-099', 400])
  })

  it('looks one folder deep and at one name only', async () => {
    const workspaceId = await workspaceWith({
      '/system/skills/a/SKILL.md': skill('a'),
      '/system/skills/a/b/SKILL.md': skill('b'),
      '/system/skills/SKILL.md': skill('skills'),
      '/system/skills/c/README.md': skill('c'),
      '/system/skills-2/d/SKILL.md': skill('d'),
      '/skills/e/SKILL.md': skill('e'),
      '/system/skills/f/skill.md': skill('f'),
      '/system/skills/g/skill.md': skill('g'),
      '/system/skills/g/SKILL.md': skill('g'),
    })
    const { skills } = await catalog.definitions(database.db.kysely, workspaceId)
    expect(skills.map(({ path, errors }) => [path, errors.length])).toEqual([['/system/skills/a/SKILL.md', 0], ['/system/skills/f/skill.md', 1], ['/system/skills/g/SKILL.md', 0]])
  })

  it('reads the head of a skill of megabytes, and an agent only when it is of a size that is sent with every call', async () => {
    const workspaceId = await workspaceWith({
      '/system/skills/large/SKILL.md': skill('large') + 'é'.repeat(2_000_000),
      '/system/agents/large/AGENT.md': `---\ndescription: d\n---\n${'p'.repeat(300_000)}`,
    })
    const { agents, skills } = await catalog.definitions(database.db.kysely, workspaceId)
    expect(skills[0]).toMatchObject({ name: 'large', errors: [], definition: { description: 'Does large.' } })
    expect(agents.at(-1)?.errors).toMatchObject([{ line: 1, message: 'The file has 300023 bytes; 262144 are the most.' }])
  })
})
