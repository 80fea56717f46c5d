import type { ToolDefinition } from '../completion/completion-request.ts'
import type { Json } from '../completion/json.ts'
import { checkToolName, type Tool, type ToolContext } from './tool.ts'
import { ToolExecutionError } from './tool-error.ts'
import { errorOutcome, successOutcome, type ToolCallOutcome } from './tool-output.ts'

/** Tools by name. The order of adding is the order on the wire, so that the provider's prompt cache keeps hitting. */
export class ToolSet {
  protected readonly tools = new Map<string, Tool>()

  static from(tools: Iterable<Tool>): ToolSet {
    const set = new ToolSet()
    for (const tool of tools) set.add(tool)
    return set
  }

  /** Throws `TypeError` for a second tool of the same name or a name that providers refuse. */
  add(tool: Tool): this {
    checkToolName(tool.name)
    if (this.tools.has(tool.name)) throw new TypeError(`There already is a tool named "${tool.name}"`)
    this.tools.set(tool.name, tool)
    return this
  }

  delete(name: string): boolean {
    return this.tools.delete(name)
  }

  get(name: string): Tool | undefined {
    return this.tools.get(name)
  }

  get names(): readonly string[] {
    return [...this.tools.keys()]
  }

  [Symbol.iterator](): IterableIterator<Tool> {
    return this.tools.values()
  }

  definitions(prompt: string): Promise<ToolDefinition[]> {
    return Promise.all([...this.tools.values()].map((tool) => tool.definition(prompt)))
  }

  /** Runs one call by hand. Never throws: whatever goes wrong is the outcome. */
  async call(name: string, args: Json, ctx: ToolContext): Promise<ToolCallOutcome> {
    const tool = this.tools.get(name)
    if (tool === undefined) return errorOutcome(new ToolExecutionError('not_found', `Unknown tool "${name}". Available tools: ${this.names.join(', ')}.`))
    try {
      return successOutcome(await tool.call(await tool.parseArgs(args), ctx))
    } catch (error) {
      return errorOutcome(ToolExecutionError.from(error))
    }
  }
}

/** A tool set that several agents share and that may change while they run; a turn in progress keeps the tools it began with. */
export class ToolServer extends ToolSet {
  readonly #listeners = new Set<() => void>()
  #revision = 0

  /** Grows with every change. */
  get revision(): number {
    return this.#revision
  }

  override add(tool: Tool): this {
    super.add(tool)
    this.#changed()
    return this
  }

  override delete(name: string): boolean {
    const existed = super.delete(name)
    if (existed) this.#changed()
    return existed
  }

  removeTool(name: string): this {
    this.delete(name)
    return this
  }

  appendToolset(set: ToolSet): this {
    for (const tool of set) this.add(tool)
    return this
  }

  /** The tools as they are now. */
  snapshot(): ToolSet {
    return ToolSet.from(this)
  }

  /** Calls `listener` after each change; returns the function that ends this. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #changed(): void {
    this.#revision++
    for (const listener of this.#listeners) listener()
  }
}
