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

function hasState(error: unknown, state: string): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && error.code === state
}
