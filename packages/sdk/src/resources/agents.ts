import { listAgents, listSkills } from '@buildscale/protocol'
import type { Caller, ResponseOf } from '../client.ts'
import type { PageOptions } from './workspaces.ts'

/** The agents and skills of one workspace. They are files: change them with `files`. */
export class AgentsResource {
  readonly #caller: Caller
  readonly #workspaceId: string

  constructor(caller: Caller, workspaceId: string) {
    this.#caller = caller
    this.#workspaceId = workspaceId
  }

  /** Built-in ones first. Broken ones are listed with their `errors`. */
  list({ limit, cursor, ...options }: PageOptions = {}): Promise<ResponseOf<typeof listAgents>> {
    return this.#caller.call(listAgents, { params: { w: this.#workspaceId }, query: { limit, cursor }, options })
  }

  /** Broken ones are listed with their `errors`. */
  skills({ limit, cursor, ...options }: PageOptions = {}): Promise<ResponseOf<typeof listSkills>> {
    return this.#caller.call(listSkills, { params: { w: this.#workspaceId }, query: { limit, cursor }, options })
  }
}
