import type { JsonObject } from '../completion/json.ts'
import type { ToolContext } from '../tool/tool.ts'
import { MAX_TIMEOUT_MS } from './request-limit.ts'

/** Which tools of a server are offered, and how they are called. */
export interface McpToolsOptions {
  /** Stands before every name, as it is: `github_` makes `github_search`. At most 32 of a-z, A-Z, 0-9, _ and -. */
  readonly prefix?: string
  /** Only these, by the server's names. */
  readonly include?: readonly string[]
  /** All but these, by the server's names. */
  readonly exclude?: readonly string[]
  /** A call fails with kind `timeout` after this many milliseconds. Default 300,000. */
  readonly timeoutMs?: number
  /** Progress starts the time of a call anew. Without it a server that keeps reporting still has to answer in time. */
  readonly resetTimeoutOnProgress?: boolean
  /** Reading the list of tools, all its pages, may take this many milliseconds. Default 30,000. */
  readonly refreshTimeoutMs?: number
  /** Follow the server's changes of its list. Default true. */
  readonly refresh?: boolean
  /** Ends the reading of the list and the following of its changes. Calls end by the signal of their run. */
  readonly signal?: AbortSignal
  /** Makes the `_meta` of a call: the tenant, a trace, whatever the server is to know and the model is not. */
  readonly meta?: (ctx: ToolContext) => JsonObject
  /** Told when a changed list could not be read or used; the tools stay as they were. Without it the process emits a warning. */
  readonly onError?: (error: Error) => void
}

export type McpSettings = McpToolsOptions & Required<Pick<McpToolsOptions, 'prefix' | 'timeoutMs' | 'refreshTimeoutMs' | 'refresh' | 'onError'>>

const PREFIX = /^[a-zA-Z0-9_-]{0,32}$/

/** Options with their defaults. Throws `TypeError` for a prefix that providers refuse and `RangeError` for a time that no timer can take. */
export function settingsOf(options: McpToolsOptions): McpSettings {
  const settings = { prefix: '', timeoutMs: 300_000, refreshTimeoutMs: 30_000, refresh: true, onError: warn, ...options }
  if (!PREFIX.test(settings.prefix)) throw new TypeError(`Prefix "${settings.prefix}": use at most 32 of a-z, A-Z, 0-9, _ and -`)
  for (const key of ['timeoutMs', 'refreshTimeoutMs'] as const) {
    if (!(settings[key] > 0 && settings[key] <= MAX_TIMEOUT_MS)) throw new RangeError(`${key} must be between 1 and ${MAX_TIMEOUT_MS} ms`)
  }
  return settings
}

function warn(error: Error): void {
  process.emitWarning(error)
}
