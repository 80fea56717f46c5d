import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { loadSdk } from './load-sdk.ts'
import { McpConnectionError } from './mcp-error.ts'
import type { McpTarget, OpenedTransport } from './mcp-target.ts'
import type { McpToolsOptions } from './mcp-tools-options.ts'
import { mcpTools, type McpTools } from './mcp-tools.ts'
import { MAX_TIMEOUT_MS, RequestLimit } from './request-limit.ts'

export interface ConnectMcpOptions extends McpToolsOptions {
  /** The server has to greet within this many milliseconds. Default 30,000. */
  readonly connectTimeoutMs?: number
  /** How the server is told who calls. */
  readonly clientInfo?: { readonly name: string; readonly version: string }
}

/** A server with its tools. Whoever connected closes it: a started program and an open stream keep the process alive. */
export interface McpConnection extends AsyncDisposable {
  readonly client: Client
  readonly tools: McpTools
  /** Ends calls in progress, the session and a started program. Never fails; a program that ignores all hints is killed after some seconds. */
  close(): Promise<void>
}

/**
 * Connects to a server and reads its tools. Throws `ConfigError` when the SDK is not installed, `McpConnectionError` when the server cannot be
 * reached or used, and the reason of `options.signal` when that is aborted; nothing is left running then.
 */
export async function connectMcp(target: McpTarget, options: ConnectMcpOptions = {}): Promise<McpConnection> {
  const { connectTimeoutMs = 30_000, clientInfo = { name: 'rig', version: '0.1.0' }, ...toolsOptions } = options
  options.signal?.throwIfAborted()
  const { Client } = await loadSdk(() => import('@modelcontextprotocol/sdk/client/index.js'))
  const opened = await open(target)
  const client = new Client({ ...clientInfo })
  try {
    await greet(client, opened, { timeoutMs: connectTimeoutMs, signal: options.signal })
    const tools = await mcpTools(client, toolsOptions)
    const close = async () => {
      await tools.close()
      await opened.close(client)
    }
    return { client, tools, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await opened.close(client)
    throw error
  }
}

async function open(target: McpTarget): Promise<OpenedTransport> {
  if ('command' in target) return (await loadSdk(() => import('./open-stdio.ts'))).openStdio(target)
  return (await loadSdk(() => import('./open-http.ts'))).openHttp(target)
}

async function greet(client: Client, { transport }: OpenedTransport, { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined }): Promise<void> {
  const limit = new RequestLimit(signal, timeoutMs)
  try {
    await client.connect(transport, { signal: limit.signal, timeout: MAX_TIMEOUT_MS })
  } catch (error) {
    signal?.throwIfAborted()
    const why = limit.endedBy === 'timeout' ? `no answer within ${timeoutMs} ms` : error instanceof Error ? error.message : String(error)
    throw new McpConnectionError(`The server could not be connected to: ${why}`, { cause: error })
  } finally {
    limit.end()
  }
}
