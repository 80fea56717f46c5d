import { AppError } from '../errors.ts'
import type { ChangeSet } from '../services/files/change-set.ts'
import { parsePath } from '../services/files/file-path.ts'
import { moveFile, removeFile, writeFile } from '../services/files/file-tree.ts'
import { requireFile } from './find-entry.ts'
import { utf8 } from './file-text.ts'
import { type FilePatch, parsePatch } from './parse-patch.ts'
import { type PatchedText, patchText } from './patch-text.ts'
import { readText } from './read.ts'
import { defineWriteTool, type ToolContext } from './tool.ts'
import { longText, toolArguments } from './tool-arguments.ts'

const MOST_FILES = 100
const MOST_HUNKS = 1_000

export const applyPatchTool = defineWriteTool({
  name: 'apply_patch',
  description:
    'Change, create, delete and rename several text files at once with a unified diff, all or none. "--- /dev/null" makes a new file, "+++ /dev/null" deletes one, git\'s "rename from" and "rename to" rename. The lines that stay and go must be exactly those of the file; line numbers may be wrong. Read the files first.',
  arguments: toolArguments({
    patch: longText('The unified diff: for each file "--- a/path", "+++ b/path", then hunks "@@ -1,3 +1,4 @@" with lines that begin with " ", "-" or "+".'),
  }),
  async prepare({ patch }, context) {
    const files = parsePatch(patch)
    if (files.length > MOST_FILES) throw new AppError('invalid_request', `The patch is for ${files.length} files; at most ${MOST_FILES} at once.`)
    const hunks = files.reduce((sum, file) => sum + file.hunks.length, 0)
    if (hunks > MOST_HUNKS) throw new AppError('invalid_request', `The patch has ${hunks} hunks; at most ${MOST_HUNKS} at once.`)
    const parsed = files.map(withPaths)
    checkTwice(parsed)
    const changes: PreparedChange[] = []
    for (const file of parsed) changes.push(await prepareFile(file, context))
    return changes
  },
  async apply(changes, set) {
    const results = new Map<PreparedChange, PatchResult>()
    // What goes away first: a path that becomes free may be taken by another file of the patch.
    for (const change of [...changes].sort((a, b) => ORDER[a.type] - ORDER[b.type])) results.set(change, await applyChange(set, change))
    const moved = changes.flatMap((change) => change.moved.map(({ number, by }) => `hunk ${number} of "${change.path}" was found ${Math.abs(by)} lines ${by > 0 ? 'below' : 'above'} where the patch says`))
    return { files: changes.map((change) => results.get(change)), notice: moved.length === 0 ? null : `Applied, but ${moved.slice(0, 20).join('; ')}${moved.length > 20 ? '; …' : ''}.` }
  },
})

interface PreparedChange {
  readonly type: 'delete' | 'rename' | 'update' | 'create'
  readonly path: string
  /** Of a rename. */
  readonly from: string | undefined
  /** The new bytes; undefined when they stay. */
  readonly content: Buffer | undefined
  /** What it was computed from. */
  readonly ifHash: string | undefined
  readonly moved: PatchedText['moved']
}

const ORDER = { delete: 0, rename: 1, update: 2, create: 3 } as const

interface PatchResult {
  readonly path: string
  readonly change: 'deleted' | 'renamed' | 'updated' | 'created'
  readonly from_path: string | null
  readonly file_id: string
  readonly version: number | null
  readonly hash: string | null
  readonly size: number | null
}

function withPaths({ from, to, hunks }: FilePatch): FilePatch {
  const parsed = (path: string | null): string | null => (path === null ? null : parsePath(path))
  return { from: parsed(from), to: parsed(to), hunks }
}

/** Two sections for one file could not both be checked against what is there now. */
function checkTwice(files: readonly FilePatch[]): void {
  for (const side of ['from', 'to'] as const) {
    const paths = files.flatMap((file) => file[side] ?? [])
    const twice = paths.find((path, index) => paths.indexOf(path) !== index)
    if (twice !== undefined) throw new AppError('invalid_request', `"${twice}" is in the patch twice. Put all its hunks below one pair of "---" and "+++".`)
  }
}

async function prepareFile({ from, to, hunks }: FilePatch, context: ToolContext): Promise<PreparedChange> {
  if (from === null) return createdFile(to ?? '', hunks)
  if (to !== null && to !== from && hunks.length === 0) {
    const entry = await requireFile(context, from, 'A patch changes files only; mv moves folders.')
    return { type: 'rename', path: to, from, content: undefined, ifHash: entry.hash, moved: [] }
  }
  const { file, text } = await readText(from, context)
  const patched = patchText(text, hunks, from)
  if (to === null) return deletedFile(from, { hash: file.hash, rest: patched.text })
  const content = utf8(patched.text, 'The new text')
  return { type: to === from ? 'update' : 'rename', path: to, from: to === from ? undefined : from, content, ifHash: file.hash, moved: patched.moved }
}

function createdFile(path: string, hunks: FilePatch['hunks']): PreparedChange {
  if (hunks.some((hunk) => hunk.lines.some((line) => line.kind !== 'add'))) {
    throw new AppError('invalid_request', `"${path}" is to be a new file ("--- /dev/null"), so every line of its hunk must begin with "+".`)
  }
  return { type: 'create', path, from: undefined, content: utf8(patchText('', hunks, path).text, 'The new text'), ifHash: undefined, moved: [] }
}

/** A patch that deletes a file shows all of it: what it does not show, its author has not seen. */
function deletedFile(path: string, { hash, rest }: { readonly hash: string; readonly rest: string }): PreparedChange {
  if (rest === '') return { type: 'delete', path, from: undefined, content: undefined, ifHash: hash, moved: [] }
  throw new AppError('conflict', `The patch deletes "${path}" ("+++ /dev/null"), but the file has ${rest.split('\n').length} more lines than the patch removes. Remove every line, or use rm.`)
}

async function applyChange(set: ChangeSet, change: PreparedChange): Promise<PatchResult> {
  try {
    return await changeFile(set, change)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'version_mismatch') throw error
    throw new AppError('version_mismatch', `${change.ifHash === undefined ? `"${change.path}" exists already` : `"${change.from ?? change.path}" has changed since the patch was compared with it`}, so nothing was changed. Read it again and make a new patch.`, { cause: error })
  }
}

async function changeFile(set: ChangeSet, { type, path, from, content, ifHash }: PreparedChange): Promise<PatchResult> {
  if (type === 'delete') {
    const { file } = await removeFile(set, { path, recursive: false, ...(ifHash !== undefined && { ifHash }) })
    return { path, change: 'deleted', from_path: null, file_id: file.id, version: null, hash: null, size: null }
  }
  const moved = from === undefined ? undefined : (await moveFile(set, { from, to: path })).file
  const written = content === undefined ? moved : (await writeFile(set, { path, content, ...(ifHash === undefined ? { mustNotExist: true } : { ifHash }) })).file
  if (written === undefined) throw new Error('a change of a patch does nothing')
  const { id, version, hash, size } = written
  return { path, change: PAST[type], from_path: from ?? null, file_id: id, version, hash, size }
}

const PAST = { rename: 'renamed', update: 'updated', create: 'created' } as const
