import { uuidv7 } from 'uuidv7'
import type { NewFolderRow } from '../../repositories/file-repository.ts'
import { type PlacedFile, rewriteTree, type StoredContent, type TreeRewrite } from '../../repositories/rewind-repository.ts'
import type { ChangeSet, NewChange } from './change-set.ts'
import { baseName, parentPath } from './file-path.ts'
import type { RewoundFile, SteadyEntry } from './rewind-decisions.ts'
import { type FileMove, orderRewind, type RewindStep } from './rewind-order.ts'

/** Brings a decided rewind into the tree and into the journal, in as many statements for one file as for all. */
export async function applyRewind(set: ChangeSet, files: readonly RewoundFile[], steady: ReadonlyMap<string, SteadyEntry>): Promise<void> {
  const steps = orderRewind({ files, asidePath: (number) => `/.rewind-${set.id}-${number}` })
  const versions = new Map(files.flatMap((file) => newVersion(file)))
  await rewriteTree(set.tx, treeRewrite(set, { files, steps, steady, versions }))
  set.recordAll(steps.flatMap((step) => changesOf(step, versions)))
}

/** By file id. */
type NewVersions = ReadonlyMap<string, StoredContent>

function newVersion({ id, content, latest }: RewoundFile): [string, StoredContent][] {
  return content === null ? [] : [[id, { ...content, id: uuidv7(), number: (latest?.number ?? 0) + 1 }]]
}

interface RewriteParts {
  readonly files: readonly RewoundFile[]
  readonly steps: readonly RewindStep[]
  readonly steady: ReadonlyMap<string, SteadyEntry>
  readonly versions: NewVersions
}

function treeRewrite(set: ChangeSet, { files, steps, steady, versions }: RewriteParts): TreeRewrite {
  const folders = new Map<string, string>([...steady].map(([path, { id }]) => [path, id]))
  for (const { id, isFolder, to } of files) if (isFolder && to !== null) folders.set(to, id)
  const moved = new Set(steps.flatMap((step) => (step.type === 'moved' ? step.moves.map(({ file }) => file.id) : [])))
  const isLeaving = ({ id, from, to }: RewoundFile): boolean => from !== null && (to === null || moved.has(id))
  const isPlaced = (file: RewoundFile): boolean => file.to !== null && !file.isNew && (file.from === null || isLeaving(file) || file.content !== null)
  return {
    workspaceId: set.workspaceId,
    author: set.author,
    leaving: files.filter(isLeaving).map(({ id }) => id),
    folders: files.filter(({ isNew }) => isNew).map((file): NewFolderRow => placeOf(file, folders)),
    versions: [...versions].map(([fileId, version]) => ({ ...version, fileId })),
    placed: files.filter(isPlaced).map((file): PlacedFile => ({ ...placeOf(file, folders), fileType: file.fileType, latestVersionId: (versions.get(file.id) ?? file.latest)?.id ?? null })),
  }
}

function placeOf({ id, to }: RewoundFile, folders: ReadonlyMap<string, string>): NewFolderRow {
  if (to === null) throw new Error('a file without a place cannot be placed')
  const parent = parentPath(to)
  if (parent === null || parent === '/') return { id, parentId: null, name: baseName(to), path: to }
  const parentId = folders.get(parent)
  if (parentId === undefined) throw new Error(`a rewind found no folder ${parent}`)
  return { id, parentId, name: baseName(to), path: to }
}

function changesOf(step: RewindStep, versions: NewVersions): NewChange[] {
  switch (step.type) {
    case 'moved':
      return step.moves.map(moveOf)
    case 'deleted':
      return [{ ...partOf(step.file), kind: 'deleted', fromPath: step.path, toPath: null, version: null }]
    case 'created':
    case 'restored':
    case 'updated':
      return [{ ...partOf(step.file), kind: step.type, fromPath: null, toPath: step.path, version: versions.get(step.file.id) ?? step.file.latest }]
  }
}

function moveOf({ file, from, to }: FileMove): NewChange {
  return { ...partOf(file), kind: 'moved', fromPath: from, toPath: to, version: file.latest }
}

function partOf({ id, fileType, latest }: RewoundFile): Pick<NewChange, 'fileId' | 'fileType' | 'previousVersionId'> {
  return { fileId: id, fileType, previousVersionId: latest?.id ?? null }
}
