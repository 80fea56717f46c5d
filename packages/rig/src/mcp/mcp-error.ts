import { RigError } from '../errors.ts'
import { DEFAULT_FEEDBACK, ToolExecutionError, type ToolErrorKind } from '../tool/tool-error.ts'
import type { McpClient } from './mcp-client.ts'

/** A server of the Model Context Protocol could not be reached, or gave no usable list of tools. Calls that fail are `ToolExecutionError`s instead. */
export class McpConnectionError extends RigError {}

/** JSON-RPC codes as the protocol uses them; -32000 and -32001 are the SDK's own, and servers use them for anything. */
const CONNECTION_CLOSED = -32000
export const METHOD_NOT_FOUND = -32601
const KINDS_BY_CODE: ReadonlyMap<number, ToolErrorKind> = new Map([
  [-32001, 'timeout'],
  [METHOD_NOT_FOUND, 'not_found'],
  [-32602, 'invalid_args'],
  [-32042, 'permission_denied'], // The server wants a person to visit a page first.
])

/** The numeric code of an error: of JSON-RPC when it is negative, of HTTP when it has three digits. */
export function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined
}

/**
 * What went wrong with a call, for its outcome. Words that the server chose for the error reach the model; those of the transport (bodies of
 * HTTP answers, addresses) do not.
 */
export function callError(thrown: unknown, client: Pick<McpClient, 'transport'>): ToolExecutionError {
  const code = codeOf(thrown)
  if (code === undefined || !(thrown instanceof Error)) return ToolExecutionError.from(thrown, 'network')
  if (code >= 100 && code <= 599) return httpError(code, thrown)
  if (code >= -1) return ToolExecutionError.from(thrown, 'network')
  // The SDK puts this before the words of the server, on both sides.
  const message = thrown.message.replace(/^(?:MCP error -?\d+: )+/, '')
  if (code === CONNECTION_CLOSED && (client.transport === undefined || /^connection closed/i.test(message))) return ToolExecutionError.from(thrown, 'network')
  return new ToolExecutionError(KINDS_BY_CODE.get(code) ?? 'provider', message, { code: String(code), cause: thrown })
}

function httpError(status: number, cause: Error): ToolExecutionError {
  const kind = kindOfStatus(status)
  return new ToolExecutionError(kind, cause.message, { modelFeedback: DEFAULT_FEEDBACK[kind], httpStatus: status, retryable: status === 429 || status === 503, cause })
}

function kindOfStatus(status: number): ToolErrorKind {
  if (status === 401 || status === 403) return 'permission_denied'
  if (status === 429) return 'rate_limited'
  if (status === 408 || status === 504) return 'timeout'
  // A session that the server has forgotten is answered with 404: the connection is of no use any more.
  return status === 404 || status >= 500 ? 'network' : 'provider'
}
