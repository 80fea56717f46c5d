import { SdkError } from '@buildscale/sdk'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { type RunningApp, startApp } from './support/running-app.ts'
import { writeTurn } from './support/write-script.ts'

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await condition()); await sleep(50)) if (Date.now() > end) throw new Error('it did not come to be within 10 s')
}

/** Rows of every table that names a workspace. */
async function rowsOf({ database }: RunningApp, workspaceId: string): Promise<string[]> {
  const { rows: tables } = await sql<{ name: string }>`
    SELECT table_name AS name FROM information_schema.columns WHERE column_name = 'workspace_id' AND table_schema = 'public'`.execute(database.db.kysely)
  const left: string[] = []
  for (const { name } of tables) {
    const { rows } = await sql`SELECT 1 FROM ${sql.table(name)} WHERE workspace_id = ${workspaceId}::uuid LIMIT 1`.execute(database.db.kysely)
    if (rows.length > 0) left.push(name)
  }
  return left
}

it('a deleted workspace is gone for everybody at once, its running turn stops, and then its rows, bytes and files on disk go; the others keep theirs', async () => {
  const turn = writeTurn({ folder: '/many', writes: 200, stepDelayMs: 50 })
  await using app = await startApp({ script: turn.script })
  const { client } = app
  const doomed = await client.workspaces.create({ name: 'doomed' })
  await client.files(app.workspaceId).put('/kept.txt', 'kept')
  await client.files(doomed.id).put('/a/b.txt', 'b')
  await client.files(doomed.id).put('/large.bin', Buffer.alloc(2_000_000, 1))
  await client.files(doomed.id).remove('/a')
  const { chat } = await client.chats(doomed.id).create({ goal: 'Write the files of /many' })
  await until(async () => (await client.chats(doomed.id).get(chat.id)).last_seq > 10)
  const folder = join(app.dataDir, 'workspaces', doomed.id)
  await until(() => existsSync(join(folder, 'large.bin')))

  await client.workspaces.delete(doomed.id)
  for (const ask of [() => client.workspaces.get(doomed.id), () => client.files(doomed.id).list(), () => client.chats(doomed.id).get(chat.id), () => client.workspaces.delete(doomed.id)]) {
    await expect(ask()).rejects.toMatchObject({ code: 'not_found' })
  }
  expect((await client.workspaces.list()).items.map(({ name }) => name)).toEqual(['main'])
  await until(async () => (await rowsOf(app, doomed.id)).length === 0)
  await until(() => !existsSync(folder) && !existsSync(join(app.dataDir, 'mirror-state', `${doomed.id}.json`)))
  await sleep(300)
  expect(existsSync(folder)).toBe(false)
  expect(await (await client.files(app.workspaceId).content('/kept.txt')).text()).toBe('kept')
  expect(await client.doctor({ deep: true })).toMatchObject({ ok: true })
  expect((await client.workspaces.create({ name: 'doomed' })).change_seq).toBe(0)
})

it('only an owner deletes a workspace; an admin renames it, to a name that its owner has not used yet', async () => {
  await using app = await startApp()
  const admin = await app.addPerson('admin')
  await app.client.workspaces.setMember(app.workspaceId, { userId: admin.userId, role: 'admin' })
  await expect(admin.client.workspaces.delete(app.workspaceId)).rejects.toMatchObject({ code: 'forbidden' })
  expect(await admin.client.workspaces.change(app.workspaceId, { name: ' Renamed ' })).toMatchObject({ name: 'Renamed', role: 'admin' })
  await app.client.workspaces.create({ name: 'other' })
  const taken = await admin.client.workspaces.change(app.workspaceId, { name: 'other' }).catch((error: unknown) => error)
  expect(taken).toBeInstanceOf(SdkError)
  expect(taken).toMatchObject({ code: 'conflict' })
  await expect(admin.client.workspaces.change(app.workspaceId, { name: ' ' })).rejects.toMatchObject({ code: 'invalid_request' })
})
