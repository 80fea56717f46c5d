import { uuidv7 } from 'uuidv7'
import { AppError } from '../../errors.ts'
import { type FileRow, findFiles, type NewFolderRow } from '../../repositories/file-repository.ts'
import type { ChangeSet, NewChange } from './change-set.ts'
import { ancestorPaths, baseName } from './file-path.ts'

/** A path in the tree as it is now, while the workspace is locked. */
export interface TreePlace {
  readonly path: string
  readonly existing: FileRow | undefined
  /** The folder that holds the path, or will: null for the root. */
  readonly parentId: string | null
  /** Folders above that do not exist yet, from the top down. */
  readonly missing: readonly NewFolderRow[]
  /** Other paths that were asked for. */
  readonly others: ReadonlyMap<string, FileRow>
}

/** Looks a path up with everything above it, in one query. Throws `conflict` when something above it is a file, or when it is the root. */
export async function placeInTree(set: ChangeSet, path: string, others: readonly string[] = []): Promise<TreePlace> {
  if (path === '/') throw rootInTheWay()
  const rows = await findFiles(set.tx, set.workspaceId, [...ancestorPaths(path), path, ...others])
  return placeAmong(path, new Map(rows.map((row) => [row.path, row])))
}

/** The same among rows that were looked up already: those of the path and of everything above it. */
export function placeAmong(path: string, found: ReadonlyMap<string, FileRow>): TreePlace {
  if (path === '/') throw rootInTheWay()
  const ancestors = ancestorPaths(path)
  const file = ancestors.map((ancestor) => found.get(ancestor)).find((row) => row !== undefined && row.fileType !== 'folder')
  if (file !== undefined) throw new AppError('conflict', `"${file.path}" is a file, so nothing can be below it ("${path}").`)
  const { parentId, missing } = missingFolders(ancestors, found)
  return { path, existing: found.get(path), parentId, missing, others: found }
}

function missingFolders(ancestors: readonly string[], found: ReadonlyMap<string, FileRow>): Pick<TreePlace, 'parentId' | 'missing'> {
  const missing: NewFolderRow[] = []
  let parentId: string | null = null
  for (const path of ancestors) {
    const id: string = found.get(path)?.id ?? uuidv7()
    if (!found.has(path)) missing.push({ id, parentId, name: baseName(path), path })
    parentId = id
  }
  return { parentId, missing }
}

function rootInTheWay(): AppError {
  return new AppError('conflict', '"/" is the workspace itself, a folder that is always there. Name a file or folder in it.')
}

export function folderInTheWay(path: string): AppError {
  return new AppError('conflict', `"${path}" is a folder: a file cannot take its place.`)
}

export function fileInTheWay(path: string): AppError {
  return new AppError('conflict', `"${path}" is a file: a folder cannot take its place.`)
}

/** The journal's word for folders that came to be. */
export function foldersCreated(folders: readonly NewFolderRow[]): NewChange[] {
  return folders.map(({ id, path }) => ({ kind: 'created', fileId: id, fileType: 'folder', fromPath: null, toPath: path, version: null, previousVersionId: null }))
}
