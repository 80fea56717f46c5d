/** What PostgreSQL meant by an error: https://www.postgresql.org/docs/current/errcodes-appendix.html */
import pg from 'pg'

/** A unique index refused the row; with `constraint`, that very index. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return hasState(error, '23505') && (constraint === undefined || error.constraint === constraint)
}

/** The row that a foreign key points to is missing (or still pointed at); with `constraint`, that very key. */
export function isForeignKeyViolation(error: unknown, constraint?: string): boolean {
  return hasState(error, '23503') && (constraint === undefined || error.constraint === constraint)
}

/** Two transactions stood in each other's way and this one was chosen to end: running it again is right. */
export function isRetryable(error: unknown): boolean {
  return hasState(error, '40001') || hasState(error, '40P01')
}

/** `statement_timeout`, `lock_timeout` or a cancel request ended the statement. */
export function isQueryCanceled(error: unknown): boolean {
  return hasState(error, '57014') || hasState(error, '55P03')
}

/** The database that was named does not exist. */
export function isUnknownDatabase(error: unknown): boolean {
  return hasState(error, '3D000')
}

function hasState(error: unknown, state: string): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && error.code === state
}
