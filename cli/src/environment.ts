import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { CliError, EXIT } from './cli-error.ts'

/** Where the server is and who we are. */
export interface CliEnvironment {
  readonly url: string
  /** Undefined when neither the variable nor the file of a local server gives one. */
  readonly token: string | undefined
  readonly dataDir: string
}

/** What `readEnvironment` takes from the process besides its variables. */
export interface CliPlace {
  readonly isRoot: boolean
  readonly home: string
  readonly cwd: string
}

type Variables = Readonly<Record<string, string | undefined>>

/** Reads BUILDSCALE_URL, BUILDSCALE_TOKEN, BUILDSCALE_DATA_DIR, XDG_DATA_HOME and PORT. Throws a `CliError` on a bad URL or port, or a token file that may not be read. */
export function readEnvironment(variables: Variables, place: CliPlace = thisProcess()): CliEnvironment {
  const dataDir = dataDirectory(variables, place)
  const token = given(variables['BUILDSCALE_TOKEN']) ?? localToken(dataDir)
  return { url: serverUrl(variables, dataDir), token, dataDir }
}

/** The same rule as the server's, so that both find the same files. */
function dataDirectory(variables: Variables, { isRoot, home, cwd }: CliPlace): string {
  const asked = given(variables['BUILDSCALE_DATA_DIR'])
  if (asked !== undefined) return resolve(cwd, asked)
  if (isRoot) return '/var/lib/buildscale'
  const xdg = given(variables['XDG_DATA_HOME'])
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, '.local', 'share'), 'buildscale')
}

function serverUrl(variables: Variables, dataDir: string): string {
  const asked = given(variables['BUILDSCALE_URL'])
  if (asked !== undefined) {
    if (!['http:', 'https:'].includes(URL.parse(asked)?.protocol ?? '')) throw new CliError(`BUILDSCALE_URL is not a http:// or https:// URL: ${asked}`, EXIT.usage)
    return asked.replace(/\/+$/, '')
  }
  const port = given(variables['PORT']) ?? '3000'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new CliError(`PORT is not a number from 0 to 65535: ${port}`, EXIT.usage)
  // With port 0 only the server knows where it listens; it leaves its address in its data directory.
  return (port === '0' ? runningServerUrl(dataDir) : undefined) ?? `http://127.0.0.1:${port}`
}

function runningServerUrl(dataDir: string): string | undefined {
  const text = readIfPresent(join(dataDir, 'server.json'))
  return text === undefined ? undefined : /"url"\s*:\s*"([^"]+)"/.exec(text)?.[1]
}

function localToken(dataDir: string): string | undefined {
  return given(readIfPresent(join(dataDir, 'local-token'))?.trim())
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    // Somebody else's server: its user has to give us a token.
    if (code === 'EACCES') throw new CliError(`${path} belongs to another user. Set BUILDSCALE_TOKEN, or run this as the user who started the server.`)
    throw error
  }
}

function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

function thisProcess(): CliPlace {
  return { isRoot: process.getuid?.() === 0, home: homedir(), cwd: process.cwd() }
}
