import { parsePath } from '../services/files/file-path.ts'
import { fileDiff } from '../services/files/file-diff.ts'
import { requireFile } from './find-entry.ts'
import { CONTENT_LIMIT_BYTES, jsonBytes } from './result-limit.ts'
import { splitLines } from './text-lines.ts'
import { defineReadTool } from './tool.ts'
import { optionalInteger, shortText, toolArguments } from './tool-arguments.ts'

export const diffTool = defineReadTool({
  name: 'diff',
  description: 'Show what changed between two versions of a text file, as a unified diff. Without version numbers: the latest version against the one before. history lists the versions.',
  arguments: toolArguments({
    path: shortText('The file, for example "/src/main.ts".'),
    from: optionalInteger('The older version number; 0 = before the file existed. Default: the one before "to".', { min: 0 }),
    to: optionalInteger('The newer version number. Default: the latest.', { min: 1 }),
  }),
  async run({ path: asked, from, to }, context) {
    const path = parsePath(asked)
    await requireFile(context, path, 'Only files have versions: history shows what changed in a folder.')
    const { conn, files, workspaceId } = context
    const found = await fileDiff((at) => conn.run((db) => files.read(db, at)), { workspaceId, path, ...(from !== undefined && { from }), ...(to !== undefined && { to }) })
    const versions = { path, from_version: found.from, to_version: found.to, binary: found.binary }
    if (found.binary) return { ...versions, diff: null, added: null, removed: null, truncated: false, notice: 'At least one of these versions is not text. file_info and history tell sizes and hashes.' }
    const { diff, isCut } = fitting(found.diff)
    return { ...versions, diff, added: found.added, removed: found.removed, truncated: isCut, notice: notice({ isCut, isEmpty: found.diff === '', minimal: found.minimal }) }
  },
})

/** Whole lines from the beginning, as many as a result holds. */
function fitting(diff: string): { readonly diff: string; readonly isCut: boolean } {
  if (jsonBytes(diff) <= CONTENT_LIMIT_BYTES) return { diff, isCut: false }
  let bytes = 0
  const lines = splitLines(diff)
  const end = lines.findIndex((line) => (bytes += jsonBytes(line)) > CONTENT_LIMIT_BYTES)
  return { diff: lines.slice(0, end).join(''), isCut: true }
}

function notice({ isCut, isEmpty, minimal }: { readonly isCut: boolean; readonly isEmpty: boolean; readonly minimal: boolean }): string | null {
  if (isEmpty) return 'These versions are the same.'
  if (isCut) return 'The diff is too large for one result: only its beginning is shown. Compare versions that are closer to each other, or read both.'
  return minimal ? null : 'These versions differ too much to find the smallest diff: the whole part that differs is shown as removed and added.'
}
