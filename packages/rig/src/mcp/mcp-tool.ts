import type { ResultSchema } from '@modelcontextprotocol/sdk/types.js'
import type { ToolDefinition } from '../completion/completion-request.ts'
import { isJsonObject, type Json, type JsonObject } from '../completion/json.ts'
import { ToolExecutionError } from '../tool/tool-error.ts'
import type { Tool, ToolContext } from '../tool/tool.ts'
import type { ToolOutput } from '../tool/tool-output.ts'
import type { McpClient, McpRequestOptions } from './mcp-client.ts'
import { callError } from './mcp-error.ts'
import type { McpSettings } from './mcp-tools-options.ts'
import { MAX_TIMEOUT_MS, RequestLimit } from './request-limit.ts'
import { errorText, outputOf } from './result-content.ts'

/** Where tools come from: a connected client and how it is to be used. */
export interface McpSource {
  readonly client: McpClient
  /** Accepts every result: they are read leniently here, since one odd block is no reason to lose an answer. */
  readonly resultSchema: typeof ResultSchema
  readonly settings: McpSettings
}

/** What `ctx.metadata` holds under `mcp` after a call; never shown to the model. */
export interface McpCallMetadata {
  /** The server's own name of the tool. */
  readonly name: string
  /** How the server calls itself. */
  readonly server?: string
  /** The answer as it came, `structuredContent` and `_meta` included; missing when there was none. */
  readonly result?: JsonObject
}

/** The tool that the server calls `name`, offered to models as `definition` says. */
export function mcpTool(source: McpSource, name: string, definition: ToolDefinition): Tool<JsonObject, ToolOutput> {
  return {
    name: definition.name,
    definition: () => definition,
    parseArgs: (raw) => argumentsOf(definition.name, raw),
    call: (args, ctx) => callMcpTool(source, { name, arguments: args }, ctx),
  }
}

/** The server checks arguments against its schema; here they only have to be an object. */
function argumentsOf(name: string, raw: Json): JsonObject {
  const args = raw ?? {}
  if (!isJsonObject(args)) throw new ToolExecutionError('invalid_args', `Invalid arguments for ${name}: expected an object`)
  return args
}

async function callMcpTool(source: McpSource, call: { readonly name: string; readonly arguments: JsonObject }, ctx: ToolContext): Promise<ToolOutput> {
  const server = source.client.getServerVersion()?.name
  const metadata: McpCallMetadata = { name: call.name, ...(server === undefined ? {} : { server }) }
  ctx.metadata.set('mcp', metadata)
  const meta = source.settings.meta?.(ctx)
  const result = await request(source, { ...call, ...(meta === undefined ? {} : { _meta: meta }) }, ctx)
  ctx.metadata.set('mcp', { ...metadata, result } satisfies McpCallMetadata)
  if (result['isError'] === true) throw new ToolExecutionError('provider', errorText(result))
  return outputOf(result)
}

async function request({ client, resultSchema, settings }: McpSource, params: JsonObject, ctx: ToolContext): Promise<JsonObject> {
  const { timeoutMs, resetTimeoutOnProgress } = settings
  const limit = new RequestLimit(ctx.signal, timeoutMs)
  const onprogress: McpRequestOptions['onprogress'] = ({ progress, total, message }) => {
    if (resetTimeoutOnProgress === true) limit.restart()
    ctx.progress({ progress, ...(total === undefined ? {} : { total }), ...(message === undefined ? {} : { message }) })
  }
  try {
    const result = await client.request({ method: 'tools/call', params }, resultSchema, { signal: limit.signal, timeout: MAX_TIMEOUT_MS, onprogress })
    if (!isJsonObject(result)) throw new ToolExecutionError('provider', '')
    return result
  } catch (error) {
    switch (limit.endedBy) {
      case 'timeout': throw new ToolExecutionError('timeout', `The tool gave no answer within ${timeoutMs} ms`, { cause: error })
      case 'cancelled': throw new ToolExecutionError('cancelled', '', { cause: error })
      case undefined: throw callError(error, client)
    }
  } finally {
    limit.end()
  }
}
