import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.ts'
import { AuthService } from './auth-service.ts'
import { IdempotentTransactions } from './idempotent-transactions.ts'
import { PeopleService } from './people-service.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(async () => {
  await database.db.kysely.deleteFrom('workspaces').execute()
  await database.db.kysely.deleteFrom('users').execute()
})

async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'buildscale-auth-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const count = async (table: 'users' | 'workspaces' | 'api_tokens'): Promise<number> => (await database.db.kysely.selectFrom(table).select('id').execute()).length
const people = () => new PeopleService({ db: database.db, idempotent: new IdempotentTransactions({ db: database.db }) })

describe('the first start of a local server', () => {
  it('creates one user, the workspace main and a token file that only its owner can read', async () => {
    const dataDir = await dataFolder()
    const auth = new AuthService({ db: database.db })
    const { user, token } = await auth.bootstrapLocal({ dataDir })
    expect(await readFile(join(dataDir, 'local-token'), 'utf8')).toBe(`${token}\n`)
    expect((await stat(join(dataDir, 'local-token'))).mode & 0o777).toBe(0o600)
    expect(token).toMatch(/^bs_[\w-]{43}$/)
    expect(await auth.userOfToken(token)).toMatchObject({ id: user.id, isLocalOwner: true })
    expect(await database.db.kysely.selectFrom('workspaces').select(['name', 'owner_id']).execute()).toEqual([{ name: 'main', owner_id: user.id }])
    expect(await readdir(dataDir)).toEqual(['local-token'])
  })

  it('finds everything again at the next start', async () => {
    const dataDir = await dataFolder()
    const auth = new AuthService({ db: database.db })
    const first = await auth.bootstrapLocal({ dataDir })
    expect(await auth.bootstrapLocal({ dataDir })).toEqual(first)
    expect([await count('users'), await count('workspaces'), await count('api_tokens')]).toEqual([1, 1, 1])
  })

  it.each(['', 'bs_of-another-database', 'bs_half'])('replaces a token file that holds %j', async (content) => {
    const dataDir = await dataFolder()
    const auth = new AuthService({ db: database.db })
    const first = await auth.bootstrapLocal({ dataDir })
    await writeFile(join(dataDir, 'local-token'), content)
    const second = await auth.bootstrapLocal({ dataDir })
    expect(second.token).not.toBe(first.token)
    expect(await auth.userOfToken(second.token)).toMatchObject({ id: first.user.id })
    expect(await auth.userOfToken(first.token)).toBeUndefined()
  })

  it('makes a lost file anew and revokes the lost token', async () => {
    const dataDir = await dataFolder()
    const auth = new AuthService({ db: database.db })
    const lost = await auth.bootstrapLocal({ dataDir })
    await rm(join(dataDir, 'local-token'))
    await auth.bootstrapLocal({ dataDir })
    expect(await auth.userOfToken(lost.token)).toBeUndefined()
    expect(await count('api_tokens')).toBe(1)
  })

  it('does not bring back a workspace main that was renamed', async () => {
    const dataDir = await dataFolder()
    const auth = new AuthService({ db: database.db })
    await auth.bootstrapLocal({ dataDir })
    await database.db.kysely.updateTable('workspaces').set({ name: 'other' }).execute()
    await auth.bootstrapLocal({ dataDir })
    expect(await count('workspaces')).toBe(1)
  })

  it('gives two servers that start at the same moment one owner, one workspace and a token each', async () => {
    const folders = await Promise.all([dataFolder(), dataFolder()])
    const auth = new AuthService({ db: database.db })
    const [one, other] = await Promise.all(folders.map((dataDir) => auth.bootstrapLocal({ dataDir })))
    expect(one?.user.id).toBe(other?.user.id)
    expect([await count('users'), await count('workspaces'), await count('api_tokens')]).toEqual([1, 1, 2])
  })
})

describe('sign-in codes', () => {
  async function codeFor(now: () => number) {
    const auth = new AuthService({ db: database.db, now })
    const { user } = await auth.bootstrapLocal({ dataDir: await dataFolder() })
    return { auth, user, code: (await auth.createSignInCode(user.id)).secret }
  }

  it('sign in once, even when two browsers try at the same moment', async () => {
    const { auth, user, code } = await codeFor(Date.now)
    const tries = await Promise.allSettled([auth.signIn(code), auth.signIn(code)])
    expect(tries.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const won = tries.find((result) => result.status === 'fulfilled')
    expect(await auth.userOfSession(won?.value.session.secret ?? '')).toMatchObject({ id: user.id })
    await expect(auth.signIn(code)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('end after ten minutes', async () => {
    const { auth, code } = await codeFor(() => Date.now() - 10 * 60_000)
    await expect(auth.signIn(code)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('leave no session behind after signing out', async () => {
    const { auth, code } = await codeFor(Date.now)
    const { session } = await auth.signIn(code)
    await auth.signOut(session.secret)
    expect(await auth.userOfSession(session.secret)).toBeUndefined()
  })

  it('are stored as hashes, as tokens and sessions are', async () => {
    const { auth, code } = await codeFor(Date.now)
    const { session } = await auth.signIn((await auth.createSignInCode((await auth.signIn(code)).user.id)).secret)
    const stored = JSON.stringify(await Promise.all((['sign_in_codes', 'browser_sessions', 'api_tokens'] as const).map((table) => database.db.kysely.selectFrom(table).selectAll().execute())))
    expect(stored).not.toContain(Buffer.from(session.secret).toString('hex'))
    expect(stored).not.toContain(session.secret)
    expect(stored).not.toContain(code)
  })
})

describe('users and tokens', () => {
  async function ownerAndGuest() {
    const auth = new AuthService({ db: database.db })
    const { user: owner } = await auth.bootstrapLocal({ dataDir: await dataFolder() })
    const guest = await people().createUser(owner, { name: 'guest', email: 'guest@example.org' }, undefined)
    return { auth, owner, guest }
  }

  it('are added by the local owner alone', async () => {
    const { guest } = await ownerAndGuest()
    await expect(people().createUser(guest, { name: 'x', email: null }, undefined)).rejects.toMatchObject({ code: 'forbidden' })
  })

  it('refuse a second user with the same address', async () => {
    const { owner } = await ownerAndGuest()
    await expect(people().createUser(owner, { name: 'x', email: 'guest@example.org' }, undefined)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('let the local owner make a token for a guest, and nobody the other way round', async () => {
    const { auth, owner, guest } = await ownerAndGuest()
    const made = await people().createToken(owner, { userId: guest.id, name: 't', expiresAt: null }, undefined)
    expect(await auth.userOfToken(made.token)).toMatchObject({ id: guest.id })
    await expect(people().createToken(guest, { userId: owner.id, name: 't', expiresAt: null }, undefined)).rejects.toMatchObject({ code: 'forbidden' })
  })

  it('stop working when they expire or are revoked', async () => {
    const { auth, guest } = await ownerAndGuest()
    const short = await people().createToken(guest, { userId: undefined, name: 'short', expiresAt: new Date(Date.now() + 60_000) }, undefined)
    expect(await auth.userOfToken(short.token)).toBeDefined()
    await database.db.kysely.updateTable('api_tokens').set({ expires_at: new Date(Date.now() - 1000) }).where('id', '=', short.id).execute()
    expect(await auth.userOfToken(short.token)).toBeUndefined()
    const revoked = await people().createToken(guest, { userId: undefined, name: 'revoked', expiresAt: null }, undefined)
    await people().deleteToken(guest, revoked.id)
    expect(await auth.userOfToken(revoked.token)).toBeUndefined()
  })

  it('show their last use, and their owner alone can list and revoke them', async () => {
    const { auth, owner, guest } = await ownerAndGuest()
    const made = await people().createToken(guest, { userId: undefined, name: 'mine', expiresAt: null }, undefined)
    await auth.userOfToken(made.token)
    const { items } = await people().listTokens(guest, {})
    expect(items).toMatchObject([{ id: made.id, name: 'mine', last_used_at: expect.any(Date) as unknown }])
    await expect(people().deleteToken(owner, made.id)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('repeat a token to the same credential under one key, without keeping it readable', async () => {
    const { guest } = await ownerAndGuest()
    const key = { userId: guest.id, method: 'POST', path: '/t', key: 'k', bodyHash: Buffer.alloc(32) }
    const make = (credential: string) => people().createToken(guest, { userId: undefined, name: 'one', expiresAt: null }, { key, credential })
    const first = await make('bs_mine')
    expect(await make('bs_mine')).toEqual(first)
    await expect(make('bs_other')).rejects.toMatchObject({ code: 'conflict' })
    const stored = await database.db.kysely.selectFrom('idempotency_keys').select('response').execute()
    expect(JSON.stringify(stored)).not.toContain(first.token)
  })
})
