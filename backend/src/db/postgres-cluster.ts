/** One data directory of the embedded server on disk: where things lie, who owns them, how it is made, what a dead server left in it. */
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { ConfigError, StartError } from '../errors.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { commandLine, findProcess, type ProcessIdentity, workingDirectory } from './running-process.ts'

/** The user that the server runs as; undefined: as we do. */
interface ServerUser {
  readonly uid: number
  readonly gid: number
}

export interface PostgresCluster {
  /** The directory that `BUILDSCALE_DATA_DIR` names, without symlinks. */
  readonly dataDir: string
  /** `postgres/` in it: 0700, of the server's user. */
  readonly home: string
  /** PostgreSQL's own data directory. */
  readonly pgData: string
  /** The server's own log. Outside of `home`, because root writes it: that user must not be able to put a symlink there. */
  readonly logFile: string
  readonly socketDir: string
  readonly user: ServerUser | undefined
}

/** `nobody` on Linux; PostgreSQL refuses to run as root. */
const NOBODY: ServerUser = { uid: 65_534, gid: 65_534 }
/** The name of the one database role. */
export const ROLE = 'buildscale'
/** Part of the socket's file name; never a TCP port. */
export const PORT = 5432
/** `sun_path` holds 108 bytes on Linux and 104 on macOS, the closing zero included; the smaller one rules everywhere. */
const LONGEST_SOCKET_PATH = 103
/** Not TMPDIR, which may be another one at the next start: an orphan's socket must be found again. */
const SHARED_DIR = '/tmp'

/** Makes the directories with their owners and modes. Throws a ConfigError when the server's user could not reach them. */
export function openCluster(dataDir: string): PostgresCluster {
  makeDataDir(dataDir)
  const root = realpathSync(dataDir)
  const home = join(root, 'postgres')
  const user = serverUser(home)
  if (user !== undefined) checkReachable(root, user)
  makePrivateDir(home, user)
  const socketDir = chooseSocketDir(home)
  makePrivateDir(socketDir, user)
  return { dataDir: root, home, pgData: join(home, 'data'), logFile: join(root, 'postgres.log'), socketDir, user }
}

/** True when a database was made here before. Throws a StartError when it is of another PostgreSQL major. */
export function hasDatabase({ pgData }: PostgresCluster, major: string): boolean {
  if (!existsSync(pgData)) return false
  const file = join(pgData, 'PG_VERSION')
  if (!existsSync(file)) throw new StartError(`${pgData} is not a PostgreSQL data directory (it has no PG_VERSION). It was left untouched: move it away or restore it from a backup.`)
  const found = readFileSync(file, 'utf8').trim()
  if (found === major) return true
  throw new StartError(
    `The data in ${pgData} was made by PostgreSQL ${found}; this version of BuildScale brings ${major}. It was left untouched. ` +
      `Start the BuildScale that made it, dump the database with pg_dump, and load the dump into a new data directory (BUILDSCALE_DATA_DIR).`,
  )
}

/** Runs `initdb` in a temporary directory and renames it last, so that a killed one leaves no half database. */
export async function createDatabase(cluster: PostgresCluster, binaries: PostgresBinaries): Promise<void> {
  const temporary = join(cluster.home, `initdb-${process.pid}-${Date.now()}`)
  await runInitdb(cluster, [binaries.initdb, temporary])
  renameSync(temporary, cluster.pgData)
}

/** Removes what a killed `initdb` left. Only for the holder of the launcher's lock. */
export function sweepUnfinished({ home }: PostgresCluster): void {
  // A killed launcher's initdb may still be writing for a moment: what it adds is swept at the next start.
  for (const name of readdirSync(home).filter((entry) => entry.startsWith('initdb-'))) rmSync(join(home, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}

/**
 * The server that runs on this data directory, whoever started it. `postmaster.pid` (its lines: pid, data directory, start time, port, socket directory, …)
 * is believed only if that process lives and its command line names this directory: the number may belong to another program by now.
 */
export function findServer({ pgData }: Pick<PostgresCluster, 'pgData'>): ProcessIdentity | undefined {
  const file = join(pgData, 'postmaster.pid')
  if (!existsSync(file)) return undefined
  const found = findProcess(Number(readFileSync(file, 'utf8').split('\n')[0]))
  if (found === undefined) return undefined
  // The current directory still tells when the data was moved under a running server; not everybody may ask for it.
  const isOurs = `${commandLine(found.pid)} `.includes(` -D ${pgData} `) || workingDirectory(found.pid) === pgData
  return isOurs ? found : undefined
}

/** Removes the lock files of a dead server. PostgreSQL takes a zombie for a living one, and looks at both places. */
export function clearStaleLocks({ pgData, socketDir }: PostgresCluster): void {
  rmSync(join(pgData, 'postmaster.pid'), { force: true })
  for (const name of readdirSync(socketDir).filter((entry) => entry.startsWith('.s.PGSQL.'))) rmSync(join(socketDir, name), { force: true })
}

/** Removes a socket directory that does not lie in the data directory, unless a server still has its socket there. */
export function removeSharedSocketDir({ home, socketDir }: PostgresCluster): void {
  if (dirname(socketDir) !== home && existsSync(socketDir) && readdirSync(socketDir).length === 0) rmdirSync(socketDir)
}

/** The last lines of the server's own log, for error messages. */
export function logTail({ logFile }: PostgresCluster): string {
  return existsSync(logFile) ? readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-8).join('\n') : ''
}

/** What the server's processes see of our environment: nothing that could change their meaning (PG*, LD_*, LC_*). */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }
}

function makeDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o711 })
    // 0711: the server's user may pass through to `postgres/`, but not list. Against umask, and for directories made by hand.
    chmodSync(dataDir, 0o711)
  } catch (cause) {
    throw new ConfigError(`BUILDSCALE_DATA_DIR: ${dataDir} cannot be used as the data directory (${reason(cause)}). Choose a directory that this user owns.`, { cause })
  }
}

/** As root: the owner of an existing database, so that `sudo npm start` can use what an ordinary user made; `nobody` for a new one. */
function serverUser(home: string): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  if (!existsSync(home)) return NOBODY
  const { uid, gid } = statSync(home)
  return uid === 0 ? NOBODY : { uid, gid }
}

/** Every directory above must let that user pass. */
function checkReachable(dataDir: string, user: ServerUser): void {
  for (let directory = dataDir; ; directory = dirname(directory)) {
    if (!maySearch(directory, user)) {
      throw new ConfigError(
        `BUILDSCALE_DATA_DIR: ${dataDir} cannot be reached by user ${user.uid}, which the database runs as because PostgreSQL refuses to run as root: ` +
          `${directory} lets only its owner pass. Choose a directory elsewhere, for example /var/lib/buildscale, or allow passing: chmod o+x ${directory}`,
      )
    }
    if (directory === dirname(directory)) return
  }
}

function maySearch(directory: string, user: ServerUser): boolean {
  const { mode, uid, gid } = statSync(directory)
  if (uid === user.uid) return (mode & 0o100) !== 0
  return (mode & (gid === user.gid ? 0o010 : 0o001)) !== 0
}

/** Beside the data, unless that path is too long for a socket: then a private directory of a short name that follows from the long one. */
function chooseSocketDir(home: string): string {
  const beside = join(home, 'socket')
  if (Buffer.byteLength(join(beside, `.s.PGSQL.${PORT}`)) <= LONGEST_SOCKET_PATH) return beside
  return join(realpathSync(SHARED_DIR), `buildscale-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`)
}

/** 0700 and owned by the server's user. Whoever could make it first in a shared place could listen in our stead: a foreign owner is refused. */
function makePrivateDir(path: string, user: ServerUser | undefined): void {
  try {
    mkdirSync(path, { mode: 0o700 })
    if (user !== undefined) chownSync(path, user.uid, user.gid)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  const found = lstatSync(path)
  const owner = user?.uid ?? process.getuid?.()
  // Root's own: made by a start that was killed before it could give the directory away.
  if (user !== undefined && found.isDirectory() && found.uid === 0) chownSync(path, user.uid, user.gid)
  else if (!found.isDirectory() || found.uid !== owner) {
    throw new ConfigError(`BUILDSCALE_DATA_DIR: ${path} belongs to user ${found.uid}, not to user ${owner}. Start as that user, or choose another data directory.`)
  }
  chmodSync(path, 0o700)
}

async function runInitdb(cluster: PostgresCluster, [initdb, directory]: readonly [string, string]): Promise<void> {
  // Code point order with Unicode's letters, the same on every platform: no locale of the system is asked.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  // `trust`: whoever can enter the socket's directory (0700) is the server's user or root, and both can read the data files themselves.
  const args = ['-D', directory, '-U', ROLE, '--auth=trust', ...locale]
  const child = spawn(initdb, args, { ...cluster.user, cwd: cluster.home, env: serverEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const outcome = await new Promise<string>((done) => {
    child.on('error', (error) => done(error.message))
    child.on('close', (code, signal) => done(code === 0 ? '' : `it ended with ${signal ?? `exit code ${code}`}`))
  })
  if (outcome === '') return
  rmSync(directory, { recursive: true, force: true })
  // Containers like to run programs under bare numbers; PostgreSQL asks for the name.
  const remedy = output.includes('user does not exist') ? '\nPostgreSQL needs a user with a name: add one for this number to /etc/passwd, run as another user, or set DATABASE_URL.' : ''
  throw new StartError(`The database could not be created in ${cluster.home}: ${outcome}.\n${output.trimEnd()}${remedy}`)
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
