import { createGunzip } from 'node:zlib'
import { AppError } from '../../errors.ts'
import { feed } from './feed.ts'
import { checkRatio, type TransferLimits } from './transfer-limits.ts'

/** The bytes as they are, or unpacked when they begin as gzip does (RFC 1952). Throws `payload_too_large`, and `invalid_request` for broken gzip. */
export async function* gunzipped(source: AsyncIterable<Buffer>, limits: TransferLimits): AsyncGenerator<Buffer> {
  const metered = new Metered(source)
  const { start, rest } = await beginning(metered.bytes())
  const isPacked = start[0] === 0x1f && start[1] === 0x8b
  yield* isPacked ? unpacked(metered, { rest, limits }) : rest
}

/** A source that knows how much of it has been read. */
class Metered {
  count = 0
  readonly #source: AsyncIterable<Buffer>

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source
  }

  async *bytes(): AsyncGenerator<Buffer> {
    for await (const piece of this.#source) {
      this.count += piece.length
      yield piece
    }
  }
}

/** The first bytes, at least two when there are so many, and everything from the start again. */
async function beginning(source: AsyncGenerator<Buffer>): Promise<{ readonly start: Buffer; readonly rest: AsyncGenerator<Buffer> }> {
  let start: Buffer = Buffer.alloc(0)
  while (start.length < 2) {
    const { done, value } = await source.next()
    if (done === true) break
    start = Buffer.concat([start, value])
  }
  return { start, rest: joined(start, source) }
}

async function* joined(start: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (start.length > 0) yield start
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

async function* unpacked(metered: Metered, { rest, limits }: { readonly rest: AsyncIterable<Buffer>; readonly limits: TransferLimits }): AsyncGenerator<Buffer> {
  const gunzip = createGunzip()
  const pieces: AsyncIterable<Buffer> = gunzip
  void feed(rest, gunzip)
  let size = 0
  try {
    for await (const piece of pieces) {
      size += piece.length
      checkRatio({ packed: metered.count, unpacked: size }, limits)
      yield piece
    }
  } catch (error) {
    throw isZlibError(error) ? new AppError('invalid_request', 'The gzip data is damaged or ends early.', { cause: error }) : error
  }
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
}
