import type { FileEntry } from '@buildscale/protocol'
import { AppError } from '../errors.ts'
import { baseName, parentPath } from '../services/files/file-path.ts'
import { nearNames } from '../services/files/near-names.ts'
import type { ToolContext } from './tool.ts'

type Reading = Pick<ToolContext, 'conn' | 'files' | 'workspaceId'>

/** How many names of a folder are compared with a wrong one. */
const COMPARED_NAMES = 1000
const SHOWN_NAMES = 10

/** The file or folder at `path`, if there is one. */
export function findEntry(context: Reading, path: string): Promise<FileEntry | undefined> {
  return context.conn.run((conn) => context.files.stat(conn, { workspaceId: context.workspaceId, path }))
}

/** The file or folder at `path`. Throws `not_found`, naming what is there instead. */
export async function requireEntry(context: Reading, path: string): Promise<FileEntry> {
  return (await findEntry(context, path)) ?? fail(await missingPath(context, path))
}

/** The file at `path`. Throws `not_found`, and `conflict` for a folder; `instead` says what to do then. */
export async function requireFile(context: Reading, path: string, instead: string): Promise<FileEntry & { readonly hash: string }> {
  const entry = await requireEntry(context, path)
  if (entry.hash === null) throw new AppError('conflict', `"${path}" is a folder. ${instead}`)
  return { ...entry, hash: entry.hash }
}

/** What to tell a model that named a path which is not there: near names in the folder, or the folder that is missing. */
async function missingPath(context: Reading, path: string): Promise<AppError> {
  const folder = parentPath(path) ?? '/'
  const parent = await findEntry(context, folder)
  if (parent === undefined) return missingFolder(context, path, folder)
  if (parent.file_type !== 'folder') return new AppError('not_found', `There is no "${path}": "${folder}" is a file, not a folder.`)
  const names = await namesIn(context, folder)
  return new AppError('not_found', `There is no "${path}". ${hint(folder, { wanted: baseName(path), names })}`)
}

/** Climbs to the nearest folder that exists: its names show where the path went wrong. */
async function missingFolder(context: Reading, path: string, folder: string): Promise<AppError> {
  const above = parentPath(folder) ?? '/'
  const parent = await findEntry(context, above)
  if (parent === undefined) return missingFolder(context, path, above)
  const names = parent.file_type === 'folder' ? await namesIn(context, above) : []
  return new AppError('not_found', `There is no "${path}", because there is no folder "${folder}". ${hint(above, { wanted: baseName(folder), names })}`)
}

async function namesIn(context: Reading, path: string): Promise<readonly string[]> {
  const { workspaceId, files } = context
  const { items } = await context.conn.run((conn) => files.list(conn, { workspaceId, path, recursive: false, limit: COMPARED_NAMES }))
  return items.map((item) => item.name)
}

function hint(folder: string, { wanted, names }: { readonly wanted: string; readonly names: readonly string[] }): string {
  if (names.length === 0) return `The folder "${folder}" is empty.`
  const near = nearNames(wanted, names)
  if (near.length > 0) return `Did you mean ${near.map((name) => `"${childPath(folder, name)}"`).join(' or ')}?`
  const more = names.length > SHOWN_NAMES ? ', … (ls shows all)' : ''
  return `In "${folder}" there are: ${names.slice(0, SHOWN_NAMES).join(', ')}${more}. glob finds files by name anywhere.`
}

/** The path of `name` in `folder`. */
export function childPath(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`
}

function fail(error: AppError): never {
  throw error
}
