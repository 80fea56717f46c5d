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

  async take(active: readonly string[] | undefined): Promise<TurnTools> {
    const { revision } = this.#server
    if (revision !== this.#revision) {
      const snapshot = this.#server.snapshot()
      this.#latest = new TurnTools(new Map([...snapshot].map((tool) => [tool.name, tool])), await snapshot.definitions(this.#prompt))
      this.#revision = revision
    }
    return active === undefined ? this.#latest : this.#latest.only(active)
  }
}
