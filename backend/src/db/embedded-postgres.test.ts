import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../test/support/silent-log.ts'
import { ConfigError, StartError } from '../errors.ts'
import { createDb, type Db } from './db.ts'
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded-postgres.ts'
import { findProcess, signalProcess } from './running-process.ts'

const isRoot = process.getuid?.() === 0
const HOLDER = join(import.meta.dirname, '../../test/support/hold-postgres.ts')

let parent: string
let runtimeDir: string
let dataDir: string
const running: EmbeddedPostgres[] = []
const databases: Db[] = []

beforeAll(() => {
  parent = mkdtempSync(join(realpathSync(tmpdir()), 'buildscale-launcher-'))
  chmodSync(parent, 0o711)
  runtimeDir = join(parent, 'runtime')
})
beforeEach(() => (dataDir = join(parent, crypto.randomUUID())))
afterEach(async () => {
  await Promise.all(databases.splice(0).map((db) => db.close()))
  await Promise.all(running.splice(0).map((postgres) => postgres.stop()))
})
afterAll(() => rmSync(parent, { recursive: true, force: true }))

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, runtimeDir, log: silentLog, ...options })
  running.push(postgres)
  return postgres
}

function open({ connection }: EmbeddedPostgres): Db {
  const db = createDb(connection, { log: silentLog })
  databases.push(db)
  return db
}

const write = (db: Db, value: string): Promise<unknown> => sql`CREATE TABLE IF NOT EXISTS kept (value text); `.execute(db.kysely).then(() => sql`INSERT INTO kept VALUES (${value})`.execute(db.kysely))
const read = async (db: Db): Promise<string[]> => (await sql<{ value: string }>`SELECT value FROM kept`.execute(db.kysely)).rows.map(({ value }) => value)
const setting = async (db: Db, name: string): Promise<string | undefined> => (await sql<{ value: string }>`SELECT current_setting(${name}) AS value`.execute(db.kysely)).rows[0]?.value
const pgData = (): string => join(dataDir, 'postgres', 'data')

/** A program with the server as its child; resolves when the server is up, with both numbers. */
async function startInOtherProgram(): Promise<{ program: number; server: number }> {
  const child = spawn(process.execPath, [HOLDER, dataDir, runtimeDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const server = await new Promise<string>((done, failed) => {
    child.stdout.once('data', (chunk: Buffer) => done(chunk.toString()))
    child.once('exit', () => failed(new Error('the program ended before its server was up')))
  })
  return { program: child.pid ?? 0, server: Number(server) }
}

async function kill(pid: number): Promise<void> {
  const found = findProcess(pid)
  if (found !== undefined) signalProcess(found, 'SIGKILL')
  await expect.poll(() => findProcess(pid), { timeout: 5_000 }).toBeUndefined()
}

describe('a first start', () => {
  it('makes a private database that is durable, speaks UTF-8 and is on no network', async () => {
    const db = open(await start())
    expect(await setting(db, 'fsync')).toBe('on')
    expect(await setting(db, 'synchronous_commit')).toBe('on')
    expect(await setting(db, 'listen_addresses')).toBe('')
    expect(await setting(db, 'server_encoding')).toBe('UTF8')
    expect(await setting(db, 'server_version')).toMatch(/^18\./)
    const { rows } = await sql<{ upper: string; before: boolean }>`SELECT upper('ä') AS upper, 'Z' < 'a' AS before`.execute(db.kysely)
    expect(rows[0]).toEqual({ upper: 'Ä', before: true })
  })

  it('lets others pass through the data directory only, and nobody but the server into its own', async () => {
    await start()
    const mode = (path: string): number => statSync(join(dataDir, path)).mode & 0o777
    expect([mode('.'), mode('postgres'), mode('postgres/data'), mode('postgres/socket')]).toEqual([0o711, 0o700, 0o700, 0o700])
    expect(statSync(join(dataDir, 'postgres')).uid).toBe(isRoot ? 65_534 : process.getuid?.())
  })

  it('works in a directory whose path is longer than a socket may have, and leaves nothing elsewhere', async () => {
    dataDir = join(parent, 'long-'.repeat(20), 'data')
    const postgres = await start()
    expect(await setting(open(postgres), 'data_directory')).toBe(pgData())
    const { connection } = postgres
    const socketDir = connection.type === 'parts' ? connection.host : ''
    expect(statSync(socketDir).mode & 0o777).toBe(0o700)
    await Promise.all(databases.splice(0).map((db) => db.close()))
    await postgres.stop()
    expect(existsSync(socketDir)).toBe(false)
  })

  it('after a start that was killed while it made the database begins again', async () => {
    for (const delay of [0, 60, 250]) {
      const child = spawn(process.execPath, [HOLDER, dataDir, runtimeDir], { stdio: 'ignore' })
      const home = join(dataDir, 'postgres')
      await expect.poll(() => existsSync(home) && readdirSync(home).some((name) => name.startsWith('initdb-')), { timeout: 10_000, interval: 5 }).toBe(true)
      await sleep(delay)
      await kill(child.pid ?? 0)
    }
    const db = open(await start())
    await write(db, 'whole')
    expect(await read(db)).toEqual(['whole'])
    expect(readdirSync(join(dataDir, 'postgres')).sort()).toEqual(['data', 'socket'])
  })
})

describe('stop', () => {
  it('ends the server, gives the directory free and keeps the data for the next start', async () => {
    const first = await start()
    const pid = first.pid ?? 0
    const db = open(first)
    await write(db, 'kept')
    await db.close()
    databases.length = 0
    await first.stop()
    expect(findProcess(pid)).toBeUndefined()
    expect(existsSync(join(pgData(), 'postmaster.pid'))).toBe(false)
    const second = await start()
    expect(second.pid).not.toBe(pid)
    expect(await read(open(second))).toEqual(['kept'])
  })

  it('does not wait for transactions that never end', async () => {
    const postgres = await start()
    const db = open(postgres)
    const endless = sql`SELECT pg_sleep(600)`.execute(db.kysely).catch((error: unknown) => error)
    await expect.poll(async () => (await sql`SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'`.execute(db.kysely)).rows.length).toBe(1)
    const startedAt = performance.now()
    await postgres.stop()
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    expect(await endless).toBeInstanceOf(Error)
  })
})

describe('two programs on one directory', () => {
  it('one wins, the other is told who runs', async () => {
    const { program } = await startInOtherProgram()
    const second = startEmbeddedPostgres({ dataDir, runtimeDir, log: silentLog })
    await expect(second).rejects.toThrow(StartError)
    await expect(second).rejects.toThrow(new RegExp(`already running on ${dataDir} \\(process ${program}\\)`))
    await kill(program)
    await start() // takes the orphan over, and ends it with the test
  })

  it('that start at the same moment: exactly one wins', async () => {
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => startInOtherProgramQuietly()))
    const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled')
    expect(winners).toHaveLength(1)
    for (const { value } of winners) await kill(value)
    await start()
  })
})

describe('after a kill', () => {
  it('of the program alone, the next start adopts the server that is still running, with every committed row', async () => {
    const { program, server } = await startInOtherProgram()
    await kill(program)
    expect(findProcess(server)).toBeDefined()
    const adopted = await start()
    expect(adopted.pid).toBe(server)
    const db = open(adopted)
    await write(db, 'through the adopted server')
    expect(await read(db)).toEqual(['through the adopted server'])
    await db.close()
    databases.length = 0
    await adopted.stop()
    expect(findProcess(server)).toBeUndefined()
  })

  it('of the server alone, it is started again and the pool serves on with every committed row', async () => {
    const postgres = await start()
    const db = open(postgres)
    await write(db, 'committed')
    const before = postgres.pid ?? 0
    await kill(before)
    await expect.poll(() => read(db).catch(() => 'down'), { timeout: 10_000 }).toEqual(['committed'])
    expect(postgres.pid).not.toBe(before)
  })

  it('of an adopted server, it is started again as well', async () => {
    const { program, server } = await startInOtherProgram()
    await kill(program)
    const postgres = await start()
    const db = open(postgres)
    await write(db, 'committed')
    await kill(server)
    await expect.poll(() => read(db).catch(() => 'down'), { timeout: 10_000 }).toEqual(['committed'])
  })

  it('of both, the next start recovers', async () => {
    const { program, server } = await startInOtherProgram()
    await kill(program)
    await kill(server)
    const db = open(await start())
    await write(db, 'after')
    expect(await read(db)).toEqual(['after'])
  })

  it('of the server for good, the program is told that it did not come back, and why', async () => {
    const failed = Promise.withResolvers<Error>()
    const postgres = await start({ mostRestarts: 2, onFailed: failed.resolve })
    const control = join(pgData(), 'global', 'pg_control')
    const pid = postgres.pid ?? 0
    rmSync(control)
    await kill(pid)
    expect((await failed.promise).message).toMatch(/did not start.*pg_control/s)
  })
})

describe('lock files of a dead server', () => {
  /** PostgreSQL worries only about processes of its own user. */
  const asServer = isRoot ? { uid: 65_534, gid: 65_534 } : {}

  /** Both kills, then the files as they would be if `pid` had been the server's number. */
  async function leaveLocksOf(pid: number): Promise<void> {
    const { program, server } = await startInOtherProgram()
    await kill(program)
    await kill(server)
    for (const path of [join(pgData(), 'postmaster.pid'), join(dataDir, 'postgres', 'socket', '.s.PGSQL.5432.lock')]) {
      const [, ...rest] = readFileSync(path, 'utf8').split('\n')
      writeFileSync(path, [pid, ...rest].join('\n'))
    }
  }

  it.runIf(process.platform === 'linux')('that nobody reaped (a zombie) do not stop the next start', async () => {
    // The shell becomes `sleep`, which never asks for its ended child.
    const careless = spawn('sh', ['-c', 'sh -c "echo \\$\\$" & exec sleep 60'], { ...asServer, cwd: '/', stdio: ['ignore', 'pipe', 'ignore'] })
    const zombie = await new Promise<number>((done) => careless.stdout.once('data', (chunk: Buffer) => done(Number(chunk.toString()))))
    try {
      await expect.poll(() => readFileSync(`/proc/${zombie}/stat`, 'utf8')).toMatch(/\) Z /)
      await leaveLocksOf(zombie)
      const postgres = await start()
      expect(await setting(open(postgres), 'data_directory')).toBe(pgData())
    } finally {
      careless.kill('SIGKILL')
    }
  })

  it('whose number another program has by now do not stop the next start, nor is that program touched', async () => {
    const stranger = spawn('sleep', ['60'], { ...asServer, cwd: '/', stdio: 'ignore' })
    try {
      await leaveLocksOf(stranger.pid ?? 0)
      const postgres = await start()
      expect(postgres.pid).not.toBe(stranger.pid)
      await postgres.stop()
      expect(findProcess(stranger.pid ?? 0)).toBeDefined()
    } finally {
      stranger.kill('SIGKILL')
    }
  })
})

describe('a directory that cannot be used', () => {
  it('because another PostgreSQL major made it is left untouched, with what to do', async () => {
    const first = await start()
    await first.stop()
    writeFileSync(join(pgData(), 'PG_VERSION'), '17\n')
    const before = readdirSync(pgData())
    const starting = startEmbeddedPostgres({ dataDir, runtimeDir, log: silentLog })
    await expect(starting).rejects.toThrow(StartError)
    await expect(starting).rejects.toThrow(/PostgreSQL 17.*brings 18.*untouched.*pg_dump/)
    expect(readdirSync(pgData())).toEqual(before)
  })

  it('because its database is no database is left untouched', async () => {
    mkdirSync(pgData(), { recursive: true })
    if (isRoot) chmodSync(dataDir, 0o711)
    writeFileSync(join(pgData(), 'precious'), 'x')
    await expect(startEmbeddedPostgres({ dataDir, runtimeDir, log: silentLog })).rejects.toThrow(/no PG_VERSION/)
    expect(readdirSync(pgData())).toEqual(['precious'])
  })

  it('because it is a file is named with the variable', async () => {
    writeFileSync(dataDir, '')
    await expect(startEmbeddedPostgres({ dataDir, runtimeDir, log: silentLog })).rejects.toThrow(ConfigError)
  })

  it.runIf(isRoot)("because the server's user cannot pass a directory above names variable, directory and remedy", async () => {
    const closed = join(parent, 'closed')
    mkdirSync(closed, { mode: 0o700 })
    const starting = startEmbeddedPostgres({ dataDir: join(closed, 'data'), runtimeDir, log: silentLog })
    await expect(starting).rejects.toThrow(ConfigError)
    await expect(starting).rejects.toThrow(new RegExp(`BUILDSCALE_DATA_DIR.*${closed} lets only its owner pass.*chmod o\\+x ${closed}`))
  })
})

/** As `startInOtherProgram`, but resolves with the program's number only and expects to lose now and then. */
async function startInOtherProgramQuietly(): Promise<number> {
  const child = spawn(process.execPath, [HOLDER, dataDir, runtimeDir], { stdio: ['ignore', 'pipe', 'ignore'] })
  await new Promise<void>((done, failed) => {
    child.stdout.once('data', () => done())
    child.once('exit', (code) => failed(new Error(`exit code ${code}`)))
  })
  return child.pid ?? 0
}
