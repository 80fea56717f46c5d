import { createSession, createSignInCode, deleteSession, doctor, health, listModels, me, openApi, ready } from '@buildscale/protocol'
import type { ApiOptions, CallOptions } from './api.ts'
import { type BodyOf, Caller, type ResponseOf } from './client.ts'
import { AgentsResource } from './resources/agents.ts'
import { ChatsResource } from './resources/chats.ts'
import { FilesResource } from './resources/files.ts'
import { TokensResource, UsersResource } from './resources/people.ts'
import { ToolsResource } from './resources/tools.ts'
import { TagsResource, TrashResource } from './resources/trash.ts'
import { WorkspacesResource } from './resources/workspaces.ts'

/** One BuildScale server, as one user. Works in browsers and in Node. */
export class BuildScaleClient {
  readonly #caller: Caller
  readonly users: UsersResource
  readonly tokens: TokensResource
  readonly workspaces: WorkspacesResource

  constructor(options: ApiOptions) {
    this.#caller = new Caller(options)
    this.users = new UsersResource(this.#caller)
    this.tokens = new TokensResource(this.#caller)
    this.workspaces = new WorkspacesResource(this.#caller)
  }

  files(workspaceId: string): FilesResource {
    return new FilesResource(this.#caller, workspaceId)
  }

  trash(workspaceId: string): TrashResource {
    return new TrashResource(this.#caller, workspaceId)
  }

  tags(workspaceId: string): TagsResource {
    return new TagsResource(this.#caller, workspaceId)
  }

  tools(workspaceId: string): ToolsResource {
    return new ToolsResource(this.#caller, workspaceId)
  }

  agents(workspaceId: string): AgentsResource {
    return new AgentsResource(this.#caller, workspaceId)
  }

  chats(workspaceId: string): ChatsResource {
    return new ChatsResource(this.#caller, workspaceId)
  }

  health(options?: CallOptions): Promise<ResponseOf<typeof health>> {
    return this.#caller.call(health, { options })
  }

  /** Also answers when the server is not ready; `status` and `parts` say what is missing. */
  ready(options?: CallOptions): Promise<ResponseOf<typeof ready>> {
    return this.#caller.call(ready, { options, alsoAccept: [503] })
  }

  me(options?: CallOptions): Promise<ResponseOf<typeof me>> {
    return this.#caller.call(me, { options })
  }

  models(options?: CallOptions): Promise<ResponseOf<typeof listModels>> {
    return this.#caller.call(listModels, { options })
  }

  openApi(options?: CallOptions): Promise<ResponseOf<typeof openApi>> {
    return this.#caller.call(openApi, { options })
  }

  /** Signs the browser in: the server sets its cookie. */
  signIn(code: string, options?: CallOptions): Promise<ResponseOf<typeof createSession>> {
    return this.#caller.call(createSession, { body: { code }, options })
  }

  signOut(options?: CallOptions): Promise<void> {
    return this.#caller.call(deleteSession, { options })
  }

  /** A new one-time code and link with which a browser signs in as this client's user. */
  signInCode(options?: CallOptions): Promise<ResponseOf<typeof createSignInCode>> {
    return this.#caller.call(createSignInCode, { options })
  }

  /** Compares database and mirror, and repairs when asked; the local owner only. */
  doctor(body: BodyOf<typeof doctor> = {}, options?: CallOptions): Promise<ResponseOf<typeof doctor>> {
    return this.#caller.call(doctor, { body, options })
  }
}

/**
 * @param options `url`: where the server is, for example `http://127.0.0.1:3000`; `token`: an API token, left out in a browser that is signed in by cookie.
 */
export function createClient(options: ApiOptions): BuildScaleClient {
  return new BuildScaleClient(options)
}
