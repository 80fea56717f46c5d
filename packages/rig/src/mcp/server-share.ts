import type { Tool } from '../tool/tool.ts'
import type { ToolServer } from '../tool/tool-set.ts'

/** The tools of one origin inside a set that others use too: what others added, took out or replaced stays as they left it. */
export class ServerShare {
  readonly #server: ToolServer
  readonly #own = new Map<string, Tool>()

  constructor(server: ToolServer) {
    this.#server = server
  }

  /** Throws `TypeError` when a new name of `tools` belongs to somebody else already. Changes nothing. */
  check(tools: readonly Tool[]): void {
    const taken = tools.map(({ name }) => name).filter((name) => !this.#own.has(name) && this.#server.get(name) !== undefined)
    if (taken.length > 0) throw new TypeError(`There already is a tool named ${taken.map((name) => `"${name}"`).join(', ')}: a prefix keeps names apart`)
  }

  /** Makes `tools` the share, in one tick: unchanged ones keep their place, since the order is the order on the wire. */
  replace(tools: readonly Tool[]): void {
    const next = new Map(tools.map((tool) => [tool.name, tool]))
    for (const [name, tool] of this.#own) {
      if (next.get(name) === tool) continue
      const isOurs = this.#server.get(name) === tool
      if (isOurs) this.#server.delete(name)
      if (isOurs || !next.has(name)) this.#own.delete(name)
    }
    for (const tool of tools) {
      // A name that is still ours here was taken out or replaced by somebody else: it stays so, however often the server changes it.
      if (!this.#own.has(tool.name)) this.#server.add(tool)
      this.#own.set(tool.name, tool)
    }
  }
}
