import type { FileService } from '../files/file-service.ts'
import { discardContent } from '../files/content.ts'
import { AppError } from '../../errors.ts'
import type { ArchiveEntry } from './archive-entry.ts'
import { formEntries } from './form-entries.ts'
import { gunzipped } from './gunzipped.ts'
import { tarEntries } from './tar-entries.ts'
import type { TransferLimits } from './transfer-limits.ts'
import { zipEntries } from './zip-entries.ts'

type ArchiveFormat = 'tar' | 'zip' | 'form'

const FORMATS: Readonly<Record<string, ArchiveFormat | undefined>> = {
  'application/x-tar': 'tar',
  'application/tar': 'tar',
  'application/x-gtar': 'tar',
  'application/x-compressed-tar': 'tar',
  'application/x-tgz': 'tar',
  'application/gzip': 'tar',
  'application/x-gzip': 'tar',
  'application/zip': 'zip',
  'application/x-zip-compressed': 'zip',
  'multipart/form-data': 'form',
}

export interface ArchiveBody {
  readonly contentType: string | undefined
  readonly bytes: AsyncIterable<Buffer>
  readonly signal: AbortSignal
}

/** The entries of a request's body by its content type. Throws `unsupported_media_type` at once, and what the formats throw while they are read. */
export function archiveEntries(body: ArchiveBody, options: { readonly files: Pick<FileService, 'spool'>; readonly limits: TransferLimits }): AsyncGenerator<ArchiveEntry> {
  const contentType = body.contentType ?? ''
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  const format = Object.hasOwn(FORMATS, type) ? FORMATS[type] : undefined
  switch (format) {
    case 'tar':
      return tarEntries(gunzipped(body.bytes, options.limits))
    case 'zip':
      return spooledZip(body, options)
    case 'form':
      return formEntries(body.bytes, contentType)
    case undefined:
      throw new AppError('unsupported_media_type', 'An import takes application/x-tar, application/gzip (a packed tar), application/zip or multipart/form-data. Name one of them as Content-Type.')
  }
}

/** The directory of a zip is at its end, so all of it has to be there first. */
async function* spooledZip({ bytes, signal }: ArchiveBody, { files, limits }: { readonly files: Pick<FileService, 'spool'>; readonly limits: TransferLimits }): AsyncGenerator<ArchiveEntry> {
  const archive = await files.spool(bytes, { limitBytes: limits.bytes, signal })
  try {
    yield* zipEntries(archive, limits)
  } finally {
    await discardContent(archive)
  }
}
