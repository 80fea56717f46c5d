import { id } from '@buildscale/protocol'
import { AppError } from '../../errors.ts'

/** Which page of a list a client asks for. */
export interface PageRequest {
  /** Default 100. */
  readonly limit?: number | undefined
  /** The `next_cursor` of the page before. */
  readonly cursor?: string | undefined
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

/** A page of a list in the order of its ids: UUIDv7 is the order of creation, and the last id is the cursor. Throws `invalid_request` for a cursor of no list. */
export async function pageOfIds<T extends { readonly id: string } | { readonly user_id: string }>(
  request: PageRequest,
  read: (limits: { readonly limit: number; readonly after: string | undefined }) => Promise<readonly T[]>,
): Promise<Page<T>> {
  const { limit = 100, cursor } = request
  if (cursor !== undefined && !id.safeParse(cursor).success) throw new AppError('invalid_request', 'query.cursor: is not a cursor of this list')
  const rows = await read({ limit: limit + 1, after: cursor })
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, nextCursor: rows.length > limit && last !== undefined ? idOf(last) : null }
}

function idOf(row: { readonly id: string } | { readonly user_id: string }): string {
  return 'id' in row ? row.id : row.user_id
}
