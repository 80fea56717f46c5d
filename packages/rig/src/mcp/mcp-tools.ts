import type { ToolDefinition } from '../completion/completion-request.ts'
import { objectAt, stringAt, type JsonObject, type JsonSchema } from '../completion/json.ts'
import type { Tool } from '../tool/tool.ts'
import type { ToolServer } from '../tool/tool-set.ts'
import { onListChanged } from './list-changed.ts'
import { listTools } from './list-tools.ts'
import { loadSdk } from './load-sdk.ts'
import type { McpClient } from './mcp-client.ts'
import { McpConnectionError } from './mcp-error.ts'
import { mcpTool, type McpSource } from './mcp-tool.ts'
import { settingsOf, type McpToolsOptions } from './mcp-tools-options.ts'
import { ServerShare } from './server-share.ts'
import { toolNames } from './tool-names.ts'

/** A tool with what it was made of, to tell whether the server changed it. */
interface Entry {
  readonly tool: Tool
  readonly madeOf: string
}

/** The tools of one server, as they are now. Made by `mcpTools`. */
export class McpTools implements AsyncDisposable {
  readonly #source: McpSource
  readonly #shares = new Map<ToolServer, ServerShare>()
  readonly #ending = new AbortController()
  #entries: ReadonlyMap<string, Entry> = new Map()
  #tools: readonly Tool[] = []
  #unlisten: () => void = () => undefined
  #isOpen = false
  #isOutdated = false
  #following: Promise<void> | undefined

  private constructor(source: McpSource) {
    this.#source = source
  }

  /** Reads the list; throws what `mcpTools` throws. */
  static async open(source: McpSource, listen: (listener: () => void) => () => void): Promise<McpTools> {
    const tools = new McpTools(source)
    const { signal, refresh } = source.settings
    signal?.throwIfAborted()
    const end = () => tools.#end(signal?.reason)
    signal?.addEventListener('abort', end, { once: true })
    tools.#ending.signal.addEventListener('abort', () => signal?.removeEventListener('abort', end), { once: true })
    try {
      // Listening begins before the list is read: a change in between is not missed.
      if (refresh) tools.#unlisten = listen(() => tools.#onChange())
      await tools.#read()
    } catch (error) {
      tools.#end(error)
      throw error
    }
    tools.#isOpen = true
    if (tools.#isOutdated) tools.#onChange()
    return tools
  }

  /** A snapshot; a changed list makes a new one. */
  get tools(): readonly Tool[] {
    return this.#tools
  }

  /** Adds the tools to a set that agents share and keeps them in step with the server. Throws `TypeError`, adding none, when a name is taken. */
  addTo(server: ToolServer): void {
    if (this.#shares.has(server)) return
    const share = new ServerShare(server)
    share.check(this.#tools)
    share.replace(this.#tools)
    this.#shares.set(server, share)
  }

  /** Stops following the server's changes. The tools stay where they are and work as long as the client is connected. */
  async close(): Promise<void> {
    this.#end(new Error('The tools were closed'))
    await this.#following
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #onChange(): void {
    this.#isOutdated = true
    if (this.#isOpen) this.#following ??= this.#follow()
  }

  /** Changes that arrive while the list is being read lead to one more reading, however many they are. */
  async #follow(): Promise<void> {
    while (this.#isOutdated && !this.#ending.signal.aborted) {
      this.#isOutdated = false
      try {
        await this.#read()
      } catch (error) {
        this.#report(error)
      }
    }
    this.#following = undefined
  }

  #report(error: unknown): void {
    if (this.#ending.signal.aborted) return
    const failure = error instanceof Error ? error : new McpConnectionError(String(error))
    // Apart from the following: an `onError` that throws is its owner's and ends nothing here.
    queueMicrotask(() => this.#source.settings.onError(failure))
  }

  #end(reason: unknown): void {
    this.#unlisten()
    this.#ending.abort(reason)
  }

  async #read(): Promise<void> {
    const listed = await listTools(this.#source, this.#ending.signal)
    const { settings } = this.#source
    const { include, exclude = [] } = settings
    const offered = [...listed].filter(([name]) => (include?.includes(name) ?? true) && !exclude.includes(name))
    const names = toolNames(offered.map(([name]) => name), settings.prefix)
    this.#accept(new Map(offered.map(([name, tool]) => [name, this.#entryOf(name, definitionOf(names.get(name) ?? name, tool))])))
  }

  /** The same tool as before when the server did not change it: its wire form is kept with its definition. */
  #entryOf(name: string, definition: ToolDefinition): Entry {
    const madeOf = JSON.stringify(definition)
    const known = this.#entries.get(name)
    return known?.madeOf === madeOf ? known : { madeOf, tool: mcpTool(this.#source, name, definition) }
  }

  /** All sets or none: when a name is taken in one of them, everything stays as it was. */
  #accept(entries: ReadonlyMap<string, Entry>): void {
    const tools = Object.freeze([...entries.values()].map(({ tool }) => tool))
    for (const share of this.#shares.values()) share.check(tools)
    for (const share of this.#shares.values()) share.replace(tools)
    this.#entries = entries
    this.#tools = tools
  }
}

/**
 * The tools of the server that `client` is connected to. Throws `McpConnectionError` when their list cannot be read, `TypeError` or `RangeError`
 * for options that make no sense, and the reason of `options.signal` when that is aborted. The client stays the caller's to close.
 */
export async function mcpTools(client: McpClient, options: McpToolsOptions = {}): Promise<McpTools> {
  const settings = settingsOf(options)
  const sdk = await loadSdk(() => import('@modelcontextprotocol/sdk/types.js'))
  return McpTools.open({ client, resultSchema: sdk.ResultSchema, settings }, (listener) => onListChanged(client, sdk.ToolListChangedNotificationSchema, listener))
}

function definitionOf(name: string, listed: JsonObject): ToolDefinition {
  const description = stringAt(listed, 'description') ?? stringAt(listed, 'title') ?? ''
  return { name, description, parameters: parametersOf(objectAt(listed, 'inputSchema') ?? {}) }
}

/** Providers want an object with properties; servers leave them out when a tool takes no arguments. */
function parametersOf(schema: JsonObject): JsonSchema {
  return { properties: {}, ...schema, type: 'object' }
}
