import { arrayAt, isJsonObject, stringAt, type JsonObject } from '../completion/json.ts'
import { codeOf, McpConnectionError, METHOD_NOT_FOUND } from './mcp-error.ts'
import type { McpSource } from './mcp-tool.ts'
import { MAX_TIMEOUT_MS, RequestLimit } from './request-limit.ts'

/**
 * The server's tools by their names, all pages of `tools/list` read. Throws `McpConnectionError` when they cannot be read within the time of the
 * settings, and the reason of `signal` once that is aborted.
 */
export async function listTools(source: McpSource, signal: AbortSignal): Promise<ReadonlyMap<string, JsonObject>> {
  const { refreshTimeoutMs } = source.settings
  const deadline = performance.now() + refreshTimeoutMs
  const tools = new Map<string, JsonObject>()
  const cursors = new Set<string>()
  for (let cursor: string | undefined; ;) {
    const page = await readPage(source, { cursor, signal, timeoutMs: Math.max(1, deadline - performance.now()) })
    for (const tool of arrayAt(page, 'tools')) {
      const name = isJsonObject(tool) ? stringAt(tool, 'name') : undefined
      // A call by name reaches one tool only, so a name that comes twice is one tool.
      if (isJsonObject(tool) && name !== undefined && !tools.has(name)) tools.set(name, tool)
    }
    cursor = stringAt(page, 'nextCursor')
    if (cursor === undefined) return tools
    if (cursors.has(cursor)) throw new McpConnectionError('The list of tools never ends: the server gave the same cursor twice')
    cursors.add(cursor)
  }
}

interface PageRequest {
  readonly cursor: string | undefined
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

async function readPage({ client, resultSchema, settings }: McpSource, { cursor, signal, timeoutMs }: PageRequest): Promise<JsonObject> {
  const limit = new RequestLimit(signal, timeoutMs)
  try {
    const params = cursor === undefined ? {} : { cursor }
    const result = await client.request({ method: 'tools/list', params }, resultSchema, { signal: limit.signal, timeout: MAX_TIMEOUT_MS })
    return isJsonObject(result) ? result : {}
  } catch (error) {
    signal.throwIfAborted()
    // A server of prompts or resources alone.
    if (cursor === undefined && codeOf(error) === METHOD_NOT_FOUND) return {}
    const why = limit.endedBy === 'timeout' ? `no answer within ${settings.refreshTimeoutMs} ms` : error instanceof Error ? error.message : String(error)
    throw new McpConnectionError(`The list of tools could not be read: ${why}`, { cause: error })
  } finally {
    limit.end()
  }
}
