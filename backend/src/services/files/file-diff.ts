import type { FileDiff } from '@buildscale/protocol'
import { AppError } from '../../errors.ts'
import type { FilePlace } from '../../repositories/file-repository.ts'
import type { FileService } from './file-service.ts'
import { unifiedDiff } from './unified-diff.ts'
import { plainText } from './utf8-text.ts'

/** The largest version that is compared. */
const MAX_BYTES = 8 * 1024 * 1024

export interface DiffRequest extends FilePlace {
  /** Default: the version before `to`; 0 stands for the time before the first. */
  readonly from?: number
  /** Default: the latest. */
  readonly to?: number
}

/** `FileService.read` over a connection that is held only for it: comparing may take seconds. */
type ReadVersion = (at: Parameters<FileService['read']>[1]) => ReturnType<FileService['read']>

/** The difference between two versions of a file. Throws `not_found`, `conflict` on a folder, `payload_too_large` over 8 MiB. */
export async function fileDiff(readVersion: ReadVersion, request: DiffRequest): Promise<FileDiff> {
  const { workspaceId, path } = request
  const newer = await read(readVersion, { workspaceId, path, ...(request.to !== undefined && { version: request.to }) })
  const to = newer.version.number
  const from = request.from ?? to - 1
  const older = from === 0 ? Buffer.alloc(0) : (await read(readVersion, { workspaceId, path, version: from })).bytes
  const [before, after] = [plainText(older), plainText(newer.bytes)]
  if (before === undefined || after === undefined) return { binary: true, path, from, to }
  const name = path.slice(1)
  const found = await unifiedDiff({ name, label: `version ${from}`, text: before }, { name, label: `version ${to}`, text: after })
  return { binary: false, path, from, to, ...found }
}

async function read(readVersion: ReadVersion, at: FilePlace & { readonly version?: number }): ReturnType<ReadVersion> {
  try {
    return await readVersion({ ...at, maxBytes: MAX_BYTES })
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'payload_too_large') throw error
    throw new AppError('payload_too_large', `"${at.path}" has a version of more than ${MAX_BYTES / 1024 / 1024} MiB, too large to compare.`, { cause: error })
  }
}
