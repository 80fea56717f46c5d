import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { insertChatOf, insertPerson, insertRunningTurn } from '../../../test/support/chat-rows.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.ts'
import { AppError } from '../../errors.ts'
import type { AgentSnapshot } from '../agents/agent-definition.ts'
import { ChatSessions } from './chat-session.ts'
import { LostTurn } from './chat-turn.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

const models = { defaultModel: 'offline:rules', resolve: (name: string) => name }
const snapshot = (persona: string): AgentSnapshot => ({
  agent: { name: 'assistant', description: 'd', path: null, version: null, persona, tools: ['ls'], model: null, temperature: null, max_steps: 3, skills: null },
  skills: [{ name: 'style', description: 'd', path: '/system/skills/style/SKILL.md', version: 4 }],
  unlisted_skills: 0,
})

/** Sessions over a catalog that says `persona` now. */
const sessionsWith = (persona: string) => new ChatSessions({ db: database.db, models, agents: { resolve: () => Promise.resolve(snapshot(persona)) } })
const runningTurn = async () => insertRunningTurn(database.db, await insertChatOf(database.db, await insertPerson(database.db)))

describe('the session of a turn', () => {
  it('is decided by the first claim; a later one gets the same, whatever is defined by then', async () => {
    const turn = await runningTurn()
    expect(await sessionsWith('first').ofTurn(turn)).toMatchObject(snapshot('first'))
    expect(await sessionsWith('second').ofTurn({ ...turn, attempt: 2 })).toEqual({ chatId: turn.chatId, model: 'offline:rules', ...snapshot('first') })
  })

  it('is decided by a later claim when the first one came to nothing', async () => {
    const turn = await runningTurn()
    expect(await sessionsWith('second').ofTurn({ ...turn, attempt: 2 })).toMatchObject(snapshot('second'))
  })

  it('is recorded by nobody whose claim is lost', async () => {
    const turn = await runningTurn()
    await expect(sessionsWith('stale').ofTurn({ ...turn, epoch: 0 })).rejects.toThrow(LostTurn)
    expect(await sessionsWith('current').ofTurn({ ...turn, attempt: 2 })).toMatchObject(snapshot('current'))
  })

  it('shares its record with the turns that began with the same', async () => {
    const person = await insertPerson(database.db)
    for (let index = 0; index < 3; index++) await sessionsWith('same').ofTurn(await insertRunningTurn(database.db, await insertChatOf(database.db, person)))
    expect(await database.db.kysely.selectFrom('agent_snapshots').select('hash').where('workspace_id', '=', person.workspaceId).execute()).toHaveLength(1)
  })

  it('does not come about when the agent is broken, and nothing is recorded', async () => {
    const turn = await runningTurn()
    const sessions = new ChatSessions({ db: database.db, models, agents: { resolve: () => Promise.reject(new AppError('unprocessable', 'broken')) } })
    await expect(sessions.ofTurn(turn)).rejects.toMatchObject({ code: 'unprocessable' })
    expect(await sessionsWith('mended').ofTurn({ ...turn, attempt: 2 })).toMatchObject(snapshot('mended'))
  })
})
