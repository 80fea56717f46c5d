/** What a rewind makes of each file, decided without a database: where it goes, which bytes come back, and what cannot be done. */
import type { FileType } from '@buildscale/protocol'
import type { StoredContent, TouchedFile } from '../../repositories/rewind-repository.ts'
import { ancestorPaths, isInside } from './file-path.ts'

/** One touched file or folder with its place after the rewind. */
export interface RewoundFile {
  readonly id: string
  readonly isFolder: boolean
  /** Where it is in the tree now; null when it is in the trash, or does not exist yet. */
  readonly from: string | null
  /** Where it is in the tree afterwards; null when it is not. */
  readonly to: string | null
  readonly fileType: FileType
  /** Its latest version now. */
  readonly latest: StoredContent | null
  /** The version whose bytes come back as a new one; null when the bytes stay. */
  readonly content: StoredContent | null
  /** A folder to be made: something needs it above itself, or the one that was there has been purged. */
  readonly isNew: boolean
}

/** A file that stays as it is although it was asked for. */
export interface LeftFile {
  readonly fileId: string
  /** Where it was at the seq. */
  readonly path: string
  /** `purged`: its bytes are gone for good. `occupied`: something outside of the asked paths stands there. */
  readonly reason: 'purged' | 'occupied'
}

export interface RewindDecisions {
  readonly files: readonly RewoundFile[]
  readonly left: readonly LeftFile[]
}

/** A file or folder that the journal does not name after the seq: it stays where it is. */
export interface SteadyEntry {
  readonly id: string
  readonly isFolder: boolean
}

export interface RewindRequest {
  readonly touched: readonly TouchedFile[]
  /** What stands above places of then and now and was not touched, by path. */
  readonly steady: ReadonlyMap<string, SteadyEntry>
  /** Only files that are or were at or below one of these; undefined: all. */
  readonly paths: readonly string[] | undefined
  readonly newId: () => string
}

/** Decides for every touched file; those that nobody asked for keep their place. */
export function decideRewind(request: RewindRequest): RewindDecisions {
  const { touched, paths } = request
  const isAsked = (file: TouchedFile): boolean => paths === undefined || paths.some((path) => isAt(file.then?.path, path) || isAt(activePath(file), path))
  const purged = touched.filter((file) => isAsked(file) && isPurged(file))
  const wishes = touched.map((file) => (isAsked(file) && !isPurged(file) ? rewound(file, request.newId) : unmoved(file)))
  const { files, blocked } = withoutConflicts(wishes, request)
  const left: LeftFile[] = [
    ...purged.map((file) => ({ fileId: file.id, path: file.then?.path ?? '', reason: 'purged' as const })),
    ...blocked.map((file) => ({ fileId: file.id, path: file.to ?? '', reason: 'occupied' as const })),
  ]
  return { files: withFolders(files, request), left: left.sort((a, b) => (a.path < b.path ? -1 : 1)) }
}

function isAt(place: string | undefined, path: string): boolean {
  return place !== undefined && (path === '/' || place === path || isInside(place, path))
}

function activePath({ now }: TouchedFile): string | undefined {
  return now === null || now.isTrashed ? undefined : now.path
}

/** True when the file was there and cannot come back: it, or the bytes of that version, have been purged. */
function isPurged({ then, now }: TouchedFile): boolean {
  return then !== null && then.fileType !== 'folder' && (now === null || then.content === null)
}

function rewound(file: TouchedFile, newId: () => string): RewoundFile {
  const { then, now } = file
  const at = unmoved(file)
  if (then === null) return { ...at, to: null }
  if (now === null) return newFolder(newId(), then.path)
  const isSame = then.content === null || (now?.content?.hash.equals(then.content.hash) === true && now.fileType === then.fileType)
  return { ...at, to: then.path, fileType: then.fileType, content: isSame ? null : then.content }
}

function unmoved(file: TouchedFile): RewoundFile {
  const { id, then, now } = file
  const fileType = now?.fileType ?? then?.fileType ?? 'document'
  const from = activePath(file) ?? null
  return { id, isFolder: fileType === 'folder', from, to: from, fileType, latest: now?.content ?? null, content: null, isNew: false }
}

/**
 * Files whose place of the past is taken, or lies below a file, by something that stays: they stay too, which may take another one's place, until nothing
 * changes. Without `paths` the tree of the past fits by itself.
 */
function withoutConflicts(wishes: readonly RewoundFile[], { touched, steady }: RewindRequest): { readonly files: readonly RewoundFile[]; readonly blocked: readonly RewoundFile[] } {
  const stay = new Map(touched.map((file) => [file.id, unmoved(file)]))
  const blocked: RewoundFile[] = []
  let files = [...wishes]
  for (;;) {
    files = withoutDoubleFolders(files, steady)
    const conflicting = new Set(conflicts(files, steady))
    if (conflicting.size === 0) return { files, blocked }
    for (const file of conflicting) blocked.push(file)
    files = files.map((file) => (conflicting.has(file) ? (stay.get(file.id) ?? file) : file))
  }
}

/** A folder whose place has a folder already, one that stays, is not needed there: it only leaves its own. */
function withoutDoubleFolders(files: readonly RewoundFile[], steady: RewindRequest['steady']): RewoundFile[] {
  const standing = new Set([...steady].flatMap(([path, { isFolder }]) => (isFolder ? [path] : [])))
  for (const { isFolder, from, to } of files) if (isFolder && to !== null && from === to) standing.add(to)
  return files.map((file) => (file.isFolder && file.from !== file.to && standing.has(file.to ?? '') ? { ...file, to: null } : file))
}

function conflicts(files: readonly RewoundFile[], steady: RewindRequest['steady']): RewoundFile[] {
  const claims = new Map<string, RewoundFile | SteadyEntry>(steady)
  const staying = files.filter(({ from, to }) => to !== null && from === to)
  const going = files.filter(({ from, to }) => to !== null && from !== to)
  for (const file of staying) claims.set(file.to ?? '', file)
  const taken = going.filter((file) => {
    const path = file.to ?? ''
    if (claims.has(path)) return true
    claims.set(path, file)
    return false
  })
  const refused = new Set(taken)
  for (const file of going) if (!refused.has(file) && filesAbove(file, claims).length > 0) refused.add(file)
  // What stays where it is cannot be below a file: the file stays away.
  for (const file of staying) for (const above of filesAbove(file, claims)) if ('to' in above && above.from !== above.to) refused.add(above)
  return [...refused]
}

function filesAbove({ to }: RewoundFile, claims: ReadonlyMap<string, RewoundFile | SteadyEntry>): (RewoundFile | SteadyEntry)[] {
  return ancestorPaths(to ?? '').flatMap((path) => {
    const claim = claims.get(path)
    return claim?.isFolder === false ? [claim] : []
  })
}

/** Adds the folders that a place needs above it: one that would go stays, one of that place in the trash comes back, otherwise a new one is made. */
function withFolders(files: readonly RewoundFile[], { touched, steady, newId }: RewindRequest): readonly RewoundFile[] {
  const placed = new Map(files.map((file) => [file.id, file]))
  const taken = new Set<string>(steady.keys())
  for (const { to } of files) if (to !== null) taken.add(to)
  const going = new Map(files.filter(({ isFolder, from, to }) => isFolder && from !== null && to === null).map((file) => [file.from, file]))
  const inTrash = new Map(touched.filter(({ then, now }) => then?.fileType === 'folder' && now?.isTrashed === true).map((file) => [file.then?.path, file.id]))
  const needed = new Set(files.flatMap(({ from, to }) => (to === null || (from === to && taken.has(parentOf(to))) ? [] : ancestorPaths(to))))
  for (const path of [...needed].sort()) {
    if (taken.has(path)) continue
    taken.add(path)
    const known = going.get(path) ?? placed.get(inTrash.get(path) ?? '')
    const folder = known === undefined ? newFolder(newId(), path) : { ...known, to: path }
    placed.set(folder.id, folder)
  }
  return [...placed.values()]
}

function newFolder(id: string, path: string): RewoundFile {
  return { id, isFolder: true, from: null, to: path, fileType: 'folder', latest: null, content: null, isNew: true }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
