/**
 * Paths of files in a workspace: absolute, `/` separated, exact. Case, dots, brackets and every letter are kept; only Unicode is composed (NFC), so that a
 * name is the same name whichever keyboard or file system it came from.
 */
import { AppError } from '../../errors.ts'
import { characterFault, MAX_PATH_BYTES, MAX_SEGMENT_BYTES } from './path-fault.ts'

/**
 * The one form of a path that people and models write: `src/./a.ts` and `/src//a.ts` are `/src/a.ts`; `` and `/` are the root.
 * Throws `invalid_request`, saying what is wrong, on `..`, NUL and other control characters, backslashes, broken Unicode, or lengths that no disk takes.
 */
export function parsePath(input: string): string {
  const fault = characterFault(input)
  if (fault !== undefined) throw new AppError('invalid_request', `The path ${shown(input)} ${fault}.`)
  const segments = input.normalize('NFC').split('/').filter((segment) => segment !== '' && segment !== '.')
  if (segments.includes('..')) throw new AppError('invalid_request', `The path ${shown(input)} contains "..": write the path from the workspace root, for example /src/main.ts.`)
  const long = segments.find((segment) => Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)
  if (long !== undefined) throw new AppError('invalid_request', `The name ${shown(long)} is longer than ${MAX_SEGMENT_BYTES} bytes, the most that a file system takes.`)
  const path = `/${segments.join('/')}`
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new AppError('invalid_request', `The path ${shown(path)} is longer than ${MAX_PATH_BYTES} bytes.`)
  return path
}

/** The folder that holds `path`; null for the root. */
export function parentPath(path: string): string | null {
  if (path === '/') return null
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

/** The last segment; of the root, `/`. */
export function baseName(path: string): string {
  return path === '/' ? '/' : path.slice(path.lastIndexOf('/') + 1)
}

/** The folders above `path` from the top down, without the root and without itself: of `/a/b/c`, `/a` and `/a/b`. */
export function ancestorPaths(path: string): string[] {
  const segments = path.split('/').slice(1, -1)
  return segments.map((_, index) => `/${segments.slice(0, index + 1).join('/')}`)
}

/** True when `path` lies below `folder`, at any depth; a folder is not inside itself. */
export function isInside(path: string, folder: string): boolean {
  return folder === '/' ? path !== '/' : path.startsWith(`${folder}/`)
}

/** Throws `invalid_request` when a change would give one of these paths more bytes than a path may have. */
export function checkPathLengths(paths: readonly string[]): void {
  if (!paths.some((path) => Buffer.byteLength(path) > MAX_PATH_BYTES)) return
  throw new AppError('invalid_request', `${paths.length === 1 ? 'The file' : 'A file in the folder'} would get a path longer than ${MAX_PATH_BYTES} bytes. Choose a shorter one.`)
}

/** For messages: short, and with nothing that could disturb a terminal or a log. */
function shown(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 77)}…` : text
  return JSON.stringify(short.toWellFormed()).replaceAll(/\p{Cc}/gu, '�')
}
