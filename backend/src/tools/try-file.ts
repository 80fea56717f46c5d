import type { ErrorCode } from '@buildscale/protocol'
import { AppError } from '../errors.ts'
import { MAX_PATH_BYTES } from '../services/files/path-fault.ts'

/** Why one of several files could not be read. */
export interface FileFailure {
  readonly code: ErrorCode
  readonly message: string
}

/** What `read` gives, or why it refuses: one bad file of several does not spoil the others. What is no refusal is thrown. */
export async function tryFile<Result>(read: () => Promise<Result>): Promise<{ readonly ok: true; readonly value: Result } | { readonly ok: false; readonly error: FileFailure }> {
  try {
    return { ok: true, value: await read() }
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'unavailable') throw error
    return { ok: false, error: { code: error.code, message: error.message } }
  }
}

/** A path as a result names it when it led to no file: longer ones than any path can be are shortened. */
export function namedPath(asked: string): string {
  return asked.slice(0, MAX_PATH_BYTES).toWellFormed()
}
