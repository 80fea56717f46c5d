import type { ToolChoice, ToolDefinition } from '../completion/completion-request.ts'
import type { Tool } from '../tool/tool.ts'
import type { ToolServer } from '../tool/tool-set.ts'

/** The tools that one model call offers, frozen for its turn. */
export class TurnTools {
  readonly definitions: readonly ToolDefinition[]
  readonly #tools: ReadonlyMap<string, Tool>

  constructor(tools: ReadonlyMap<string, Tool>, definitions: readonly ToolDefinition[]) {
    this.#tools = tools
    this.definitions = definitions
  }

  get names(): readonly string[] {
    return this.definitions.map(({ name }) => name)
  }

  get(name: string): Tool | undefined {
    return this.#tools.get(name)
  }

  /** Only the named ones, in the same order. */
  only(names: readonly string[]): TurnTools {
    const definitions = this.definitions.filter(({ name }) => names.includes(name))
    return new TurnTools(new Map([...this.#tools].filter(([name]) => names.includes(name))), definitions)
  }

  /** Whether the model may call `name` under `choice`. */
  allows(name: string, choice: ToolChoice | undefined): boolean {
    if (!this.#tools.has(name) || choice === 'none') return false
    return typeof choice !== 'object' || choice.functionNames.includes(name)
  }
}

/** Takes a snapshot of a shared tool server per turn; definitions are asked for again only after it changed. */
export class ToolSnapshots {
  readonly #server: ToolServer
  readonly #prompt: string
  #revision = -1
  #latest = new TurnTools(new Map(), [])

  constructor(server: ToolServer, prompt: string) {
    this.#server = server
    this.#prompt = prompt
  }

  /** `found` are tools for this run, offered before the shared ones. */
  async take(active: readonly string[] | undefined, found: readonly Tool[] = []): Promise<TurnTools> {
    const { revision } = this.#server
    if (revision !== this.#revision) {
      const shared = this.#server.snapshot()
      const tools = [...found.filter(({ name }) => shared.get(name) === undefined), ...shared]
      const definitions = await Promise.all(tools.map((tool) => tool.definition(this.#prompt)))
      this.#latest = new TurnTools(new Map(tools.map((tool) => [tool.name, tool])), definitions)
      this.#revision = revision
    }
    return active === undefined ? this.#latest : this.#latest.only(active)
  }
}
