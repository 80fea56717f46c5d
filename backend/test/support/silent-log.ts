import type { DbLog } from '../../src/db/db-log.ts'

/** For tests that do not look at the log. */
export const silentLog: DbLog = { info: () => undefined, warn: () => undefined, error: () => undefined }
