/** What the database layer writes its log lines to; a pino logger fits. */
export interface DbLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
