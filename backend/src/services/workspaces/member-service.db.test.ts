import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.ts'
import { insertUser } from '../../repositories/user-repository.ts'
import { IdempotentTransactions } from '../auth/idempotent-transactions.ts'
import { MemberService } from './member-service.ts'
import { WorkspaceService } from './workspace-service.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

/** A workspace with one member of each role, and a stranger. */
async function team() {
  const { db } = database
  const workspaces = new WorkspaceService({ db, idempotent: new IdempotentTransactions({ db }), quotaBytes: null })
  const members = new MemberService({ db })
  const person = async (name: string): Promise<string> => (await insertUser(db.kysely, { id: uuidv7(), name, email: null })).id
  const [owner, admin, editor, viewer, stranger] = [await person('owner'), await person('admin'), await person('editor'), await person('viewer'), await person('stranger')]
  const { id: workspaceId } = await workspaces.create({ userId: owner, name: 'team' }, undefined)
  await members.save({ workspaceId, userId: admin, callerId: owner }, 'admin')
  await members.save({ workspaceId, userId: editor, callerId: owner }, 'editor')
  await members.save({ workspaceId, userId: viewer, callerId: owner }, 'viewer')
  const save = (callerId: string, userId: string, role: 'viewer' | 'editor' | 'admin' | 'owner') => members.save({ workspaceId, userId, callerId }, role)
  const remove = (callerId: string, userId: string) => members.remove({ workspaceId, userId, callerId })
  return { workspaces, members, workspaceId, owner, admin, editor, viewer, stranger, save, remove }
}

describe('workspaces', () => {
  it('belong to who creates them, and two of one owner have different names', async () => {
    const { workspaces, workspaceId, owner } = await team()
    expect(await workspaces.get({ workspaceId, userId: owner })).toMatchObject({ name: 'team', role: 'owner', change_seq: 0 })
    await expect(workspaces.create({ userId: owner, name: 'team' }, undefined)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('do not exist for strangers', async () => {
    const { workspaces, workspaceId, stranger } = await team()
    await expect(workspaces.get({ workspaceId, userId: stranger })).rejects.toMatchObject({ code: 'not_found' })
    expect(await workspaces.roleOf({ workspaceId, userId: stranger })).toBeUndefined()
    expect((await workspaces.list(stranger, {})).items).toEqual([])
  })

  it('are listed page by page, oldest first', async () => {
    const { workspaces, stranger } = await team()
    for (const name of ['a', 'b', 'c']) await workspaces.create({ userId: stranger, name }, undefined)
    const first = await workspaces.list(stranger, { limit: 2 })
    const second = await workspaces.list(stranger, { limit: 2, cursor: first.nextCursor ?? '' })
    expect([...first.items, ...second.items].map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect(second.nextCursor).toBeNull()
    await expect(workspaces.list(stranger, { cursor: "' or 1=1" })).rejects.toMatchObject({ code: 'invalid_request' })
  })
})

describe('members', () => {
  it('come and go by admins', async () => {
    const { members, workspaceId, admin, stranger, save, remove } = await team()
    expect(await save(admin, stranger, 'viewer')).toMatchObject({ user_id: stranger, name: 'stranger', role: 'viewer' })
    expect((await members.list(workspaceId, {})).items).toHaveLength(5)
    await remove(admin, stranger)
    expect((await members.list(workspaceId, {})).items).toHaveLength(4)
  })

  it('cannot be changed by editors and viewers, who may still leave', async () => {
    const { workspaces, workspaceId, editor, viewer, save, remove } = await team()
    await expect(save(editor, viewer, 'editor')).rejects.toMatchObject({ code: 'forbidden' })
    await expect(remove(viewer, editor)).rejects.toMatchObject({ code: 'forbidden' })
    await remove(viewer, viewer)
    expect(await workspaces.roleOf({ workspaceId, userId: viewer })).toBeUndefined()
  })

  it('become and stay owners by owners alone', async () => {
    const { owner, admin, save, remove } = await team()
    await expect(save(admin, admin, 'owner')).rejects.toMatchObject({ code: 'forbidden' })
    await expect(save(admin, owner, 'viewer')).rejects.toMatchObject({ code: 'forbidden' })
    await expect(remove(admin, owner)).rejects.toMatchObject({ code: 'forbidden' })
    expect(await save(owner, admin, 'owner')).toMatchObject({ role: 'owner' })
  })

  it('always include an owner', async () => {
    const { owner, save, remove } = await team()
    await expect(save(owner, owner, 'admin')).rejects.toMatchObject({ code: 'conflict' })
    await expect(remove(owner, owner)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('include an owner even when two owners demote each other at the same moment', async () => {
    const { workspaces, workspaceId, owner, admin, save } = await team()
    await save(owner, admin, 'owner')
    const results = await Promise.allSettled([save(owner, admin, 'viewer'), save(admin, owner, 'viewer')])
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const roles = await Promise.all([owner, admin].map((userId) => workspaces.roleOf({ workspaceId, userId })))
    expect(roles.sort()).toEqual(['owner', 'viewer'])
  })

  it('must be users', async () => {
    const { owner, save, remove, stranger } = await team()
    await expect(save(owner, uuidv7(), 'viewer')).rejects.toMatchObject({ code: 'not_found' })
    await expect(remove(owner, stranger)).rejects.toMatchObject({ code: 'not_found' })
  })
})
