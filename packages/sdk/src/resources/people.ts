import { createToken, createUser, deleteToken, listTokens } from '@buildscale/protocol'
import type { CallOptions, CreateOptions } from '../api.ts'
import type { BodyOf, Caller, ResponseOf } from '../client.ts'
import type { PageOptions } from './workspaces.ts'

export class UsersResource {
  readonly #caller: Caller

  constructor(caller: Caller) {
    this.#caller = caller
  }

  create(body: BodyOf<typeof createUser>, options?: CreateOptions): Promise<ResponseOf<typeof createUser>> {
    return this.#caller.call(createUser, { body, options })
  }
}

export class TokensResource {
  readonly #caller: Caller

  constructor(caller: Caller) {
    this.#caller = caller
  }

  /** The answer holds the token; the server cannot show it again. */
  create(body: BodyOf<typeof createToken>, options?: CreateOptions): Promise<ResponseOf<typeof createToken>> {
    return this.#caller.call(createToken, { body, options })
  }

  list({ limit, cursor, ...options }: PageOptions = {}): Promise<ResponseOf<typeof listTokens>> {
    return this.#caller.call(listTokens, { query: { limit, cursor }, options })
  }

  remove(tokenId: string, options?: CallOptions): Promise<void> {
    return this.#caller.call(deleteToken, { params: { id: tokenId }, options })
  }
}
