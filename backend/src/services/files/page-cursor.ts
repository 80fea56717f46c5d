import { AppError } from '../../errors.ts'

/** A cursor of a list: opaque for clients. */
export function encodeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** The strings that went into a cursor. Throws `invalid_request` on anything that `encodeCursor` did not make. */
export function decodeCursor(cursor: string, count: number): readonly string[] {
  const parts = parse(cursor)
  if (Array.isArray(parts) && parts.length === count && parts.every((part) => typeof part === 'string')) return parts
  throw new AppError('invalid_request', 'cursor: not a cursor of this list. Leave it out to start from the beginning.')
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return undefined // not ours: the caller says so
  }
}
