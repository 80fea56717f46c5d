import { listTools, runTool } from '@buildscale/protocol'
import type { CallOptions } from '../api.ts'
import type { Caller, ResponseOf } from '../client.ts'

/** The core tools of one workspace, by hand. */
export class ToolsResource {
  readonly #caller: Caller
  readonly #workspaceId: string

  constructor(caller: Caller, workspaceId: string) {
    this.#caller = caller
    this.#workspaceId = workspaceId
  }

  list(options?: CallOptions): Promise<ResponseOf<typeof listTools>> {
    return this.#caller.call(listTools, { params: { w: this.#workspaceId }, options })
  }

  /** A tool that fails is an answer too: `{ ok: false, error }`, as a model would read it. */
  run(name: string, args: unknown, options?: CallOptions): Promise<ResponseOf<typeof runTool>> {
    return this.#caller.call(runTool, { params: { w: this.#workspaceId, name }, body: { args }, options })
  }
}
