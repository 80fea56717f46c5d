import type { FileType } from '@buildscale/protocol'
import type { DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { findEntries, type FoundEntry } from '../../repositories/find-repository.ts'
import { nameRegex } from './disk/glob-pattern.ts'

export interface FindRequest {
  readonly workspaceId: string
  readonly folder: { readonly id: string | null; readonly path: string }
  readonly recursive: boolean
  /** A pattern for names, such as `*.md`. */
  readonly name?: string | undefined
  readonly type?: FileType | 'file' | undefined
  readonly minSize?: number | undefined
  readonly maxSize?: number | undefined
  /** A date, a time, or how long ago (`7d`, `12h`, `30m`). */
  readonly modifiedSince?: string | undefined
  readonly limit: number
}

const AGE = /^(\d{1,6})\s*([mhdw])$/i
const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/i

/** Files and folders by name, type, size and time. Throws `invalid_request` for what says nothing. */
export async function findFilesBy(conn: DbConn, { name, modifiedSince, ...request }: FindRequest): Promise<readonly FoundEntry[]> {
  const { minSize, maxSize } = request
  if (minSize !== undefined && maxSize !== undefined && minSize > maxSize) throw new AppError('invalid_request', `min_size (${minSize}) is larger than max_size (${maxSize}), so that nothing can match.`)
  const since = modifiedSince === undefined ? undefined : parseMoment(modifiedSince, Date.now())
  return findEntries(conn, { ...request, nameRegex: name === undefined ? undefined : nameRegex(name), modifiedSince: since })
}

/** A time without a zone is UTC, like every time that tools give. */
export function parseMoment(text: string, now: number): Date {
  const trimmed = text.trim()
  const [, count, unit = ''] = AGE.exec(trimmed) ?? []
  if (count !== undefined) return new Date(now - Number(count) * (UNIT_MS[unit.toLowerCase()] ?? 0))
  const hasZone = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(trimmed) && trimmed.length > 10
  const moment = DATE.test(trimmed) ? new Date(hasZone || trimmed.length === 10 ? trimmed : `${trimmed.replace(' ', 'T')}Z`) : undefined
  if (moment !== undefined && !Number.isNaN(moment.getTime())) return moment
  throw new AppError('invalid_request', `modified_since: ${JSON.stringify(text.slice(0, 100))} is not a time. Write a date (2026-01-31), a time (2026-01-31T12:00:00Z), or how long ago: 30m, 12h, 7d, 2w.`)
}
