import type { ResultSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import type { JsonObject } from '../completion/json.ts'

/** What a request of the SDK's client can be given, as far as it is used here. */
export interface McpRequestOptions {
  readonly signal?: AbortSignal
  readonly timeout?: number
  readonly onprogress?: (progress: { readonly progress: number; readonly total?: number | undefined; readonly message?: string | undefined }) => void
}

/** The part of the SDK's `Client` that tools need. It has to be connected already, and stays the caller's to close. */
export interface McpClient {
  /** `undefined` once the connection has ended. */
  readonly transport?: unknown
  request(request: { readonly method: string; readonly params: JsonObject }, resultSchema: typeof ResultSchema, options?: McpRequestOptions): Promise<unknown>
  setNotificationHandler(schema: typeof ToolListChangedNotificationSchema, handler: () => void): void
  removeNotificationHandler(method: string): void
  getServerVersion(): { readonly name: string; readonly version: string } | undefined
}
