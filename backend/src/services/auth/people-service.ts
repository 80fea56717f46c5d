import { uuidv7 } from 'uuidv7'
import type { Db } from '../../db/db.ts'
import { isForeignKeyViolation, isUniqueViolation } from '../../db/sql-state.ts'
import { AppError } from '../../errors.ts'
import { type ApiTokenRow, deleteApiToken, insertApiToken, listApiTokens } from '../../repositories/api-token-repository.ts'
import { insertUser } from '../../repositories/user-repository.ts'
import { type Page, type PageRequest, pageOfIds } from '../workspaces/id-page.ts'
import { type AuthUser, authUser } from './auth-user.ts'
import type { IdempotencyKey, IdempotentTransactions } from './idempotent-transactions.ts'
import { openSealed, seal } from './sealed-answer.ts'
import { hashSecret, newToken } from './secrets.ts'

/** Users and their API tokens. */
export class PeopleService {
  readonly #db: Db
  readonly #idempotent: IdempotentTransactions

  constructor(deps: { readonly db: Db; readonly idempotent: IdempotentTransactions }) {
    this.#db = deps.db
    this.#idempotent = deps.idempotent
  }

  /** Adds a user, without a token or a workspace. Throws `forbidden` for all but the local owner, `conflict` for an address in use. */
  async createUser(caller: AuthUser, user: { readonly name: string; readonly email: string | null }, key: IdempotencyKey | undefined): Promise<AuthUser> {
    if (!caller.isLocalOwner) throw new AppError('forbidden', 'Only the local owner adds users.')
    try {
      const created = await this.#idempotent.run(key, async (tx) => {
        const row = authUser(await insertUser(tx, { id: uuidv7(), ...user }))
        return { ...row, createdAt: row.createdAt.toISOString() }
      })
      return { ...created, createdAt: new Date(created.createdAt) }
    } catch (cause) {
      if (isUniqueViolation(cause)) throw new AppError('conflict', 'Another user has this e-mail address.', { cause })
      throw cause
    }
  }

  /** Makes an API token. Throws `forbidden` when it is for somebody else and the caller is not the local owner, `not_found` for an unknown user. */
  async createToken(caller: AuthUser, token: NewToken, repeat: TokenRepeat | undefined): Promise<{ readonly id: string; readonly token: string }> {
    const userId = token.userId ?? caller.id
    if (userId !== caller.id && !caller.isLocalOwner) throw new AppError('forbidden', 'Only the local owner makes tokens for other users.')
    if (token.expiresAt !== null && token.expiresAt.getTime() <= Date.now()) throw new AppError('invalid_request', 'body.expires_at: must be in the future')
    const secret = newToken()
    try {
      const created = await this.#idempotent.run(repeat?.key, async (tx) => {
        const id = uuidv7()
        await insertApiToken(tx, { id, user_id: userId, name: token.name, token_hash: hashSecret(secret), expires_at: token.expiresAt })
        return { id, sealed: repeat === undefined ? '' : seal(secret, repeat.credential) }
      })
      return { id: created.id, token: repeat === undefined ? secret : openSealed(created.sealed, repeat.credential) }
    } catch (cause) {
      if (isForeignKeyViolation(cause)) throw new AppError('not_found', 'There is no such user.', { cause })
      throw cause
    }
  }

  /** The caller's tokens, oldest first, without their secrets. */
  async listTokens(caller: AuthUser, page: PageRequest): Promise<Page<ApiTokenRow>> {
    return await pageOfIds(page, (limits) => listApiTokens(this.#db.kysely, { userId: caller.id, ...limits }))
  }

  /** Revokes one of the caller's tokens. Throws `not_found` for any other. */
  async deleteToken(caller: AuthUser, tokenId: string): Promise<void> {
    const deleted = await deleteApiToken(this.#db.kysely, { id: tokenId, userId: caller.id })
    if (!deleted) throw new AppError('not_found', 'You have no such token.')
  }
}

export interface NewToken {
  /** Default: the caller. */
  readonly userId: string | undefined
  readonly name: string
  readonly expiresAt: Date | null
}

/** A token's request that may be repeated. The answer holds a secret, so it is stored sealed with the caller's own credential. */
export interface TokenRepeat {
  readonly key: IdempotencyKey
  readonly credential: string
}
