import { AppError } from '../../errors.ts'

/** What an import takes, whatever the sender says: an archive of some kilobytes may unpack to anything. */
export interface TransferLimits {
  /** Files, folders and what is passed over. */
  readonly entries: number
  /** All bytes after unpacking. */
  readonly bytes: number
  /** Bytes after unpacking to bytes before, once there are more than `ratioFromBytes`. */
  readonly ratio: number
  readonly ratioFromBytes: number
  /** Skipped entries that the answer names; all are counted. */
  readonly named: number
  /** One transaction takes up to so many files… */
  readonly batchFiles: number
  /** …and bytes, large files not counted: they are stored ahead. */
  readonly batchBytes: number
}

export const TRANSFER_LIMITS: TransferLimits = Object.freeze({
  entries: 500_000,
  bytes: 64 * 1024 ** 3,
  ratio: 250,
  ratioFromBytes: 64 * 1024 ** 2,
  named: 1_000,
  batchFiles: 500,
  batchBytes: 4 * 1024 ** 2,
})

/** Throws `payload_too_large` when something small unpacks to something huge. */
export function checkRatio({ packed, unpacked }: { readonly packed: number; readonly unpacked: number }, { ratio, ratioFromBytes }: TransferLimits): void {
  if (unpacked <= ratioFromBytes || unpacked <= packed * ratio) return
  throw new AppError('payload_too_large', `The archive unpacks to more than ${ratio} times its size, which is not taken. Send such files without compression.`)
}
