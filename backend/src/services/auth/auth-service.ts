import { uuidv7 } from 'uuidv7'
import type { Db, DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { deleteApiTokensNamed, findUserOfToken, insertApiToken, noteTokenUse } from '../../repositories/api-token-repository.ts'
import { deleteBrowserSession, findUserOfSession, insertBrowserSession, insertSignInCode, takeSignInCode } from '../../repositories/sign-in-repository.ts'
import { findLocalOwner, findUser, insertLocalOwner } from '../../repositories/user-repository.ts'
import { insertWorkspace, saveMember } from '../../repositories/workspace-repository.ts'
import { type AuthUser, authUser } from './auth-user.ts'
import { readLocalToken, writeLocalToken } from './local-token-file.ts'
import { hashSecret, newSecret, newToken } from './secrets.ts'

const MINUTE_MS = 60_000
const CODE_LIFETIME_MS = 10 * MINUTE_MS
const SESSION_LIFETIME_MS = 30 * 24 * 60 * MINUTE_MS

/** The workspace that the first start creates. */
const FIRST_WORKSPACE = 'main'

/** What programs on this machine need to talk to their own server. */
export interface LocalAccess {
  readonly user: AuthUser
  /** The content of `<data dir>/local-token`. */
  readonly token: string
}

/** A secret that is shown once, and when it ends. */
export interface IssuedSecret {
  readonly secret: string
  readonly expiresAt: Date
}

/** Who somebody is: by API token, by browser session, by one-time code. Secrets are kept as hashes only. */
export class AuthService {
  readonly #db: Db
  readonly #now: () => number

  /** `now`: the clock for lifetimes, in milliseconds. */
  constructor(deps: { readonly db: Db; readonly now?: () => number }) {
    this.#db = deps.db
    this.#now = deps.now ?? Date.now
  }

  /**
   * The first start of a local server: its one user, the workspace `main`, and a token in `<data dir>/local-token` (0600). Every later start
   * finds them, and makes again what is missing: safe to repeat after a crash at any point. The data directory must exist.
   */
  async bootstrapLocal(options: { readonly dataDir: string }): Promise<LocalAccess> {
    const user = await this.#localOwner()
    const existing = await readLocalToken(options.dataDir)
    if (existing !== undefined && (await this.userOfToken(existing))?.id === user.id) return { user, token: existing }
    // Committed before it is written: a crash in between leaves a token that nobody knows, and the next start replaces it.
    const token = newToken()
    const name = `local-token of ${options.dataDir}`
    await this.#db.transaction(async (tx) => {
      await deleteApiTokensNamed(tx, { userId: user.id, name })
      await insertApiToken(tx, { id: uuidv7(), user_id: user.id, name, token_hash: hashSecret(token), expires_at: null })
    })
    await writeLocalToken(options.dataDir, token)
    return { user, token }
  }

  /** The user of an API token; undefined when it is unknown, revoked or expired. */
  async userOfToken(token: string): Promise<AuthUser | undefined> {
    const found = await findUserOfToken(this.#db.kysely, hashSecret(token))
    if (found === undefined) return undefined
    if (!found.usedLately) await noteTokenUse(this.#db.kysely, found.tokenId)
    return authUser(found.user)
  }

  /** The user of a browser session; undefined when it is unknown, ended or expired. */
  async userOfSession(secret: string): Promise<AuthUser | undefined> {
    const row = await findUserOfSession(this.#db.kysely, hashSecret(secret))
    return row === undefined ? undefined : authUser(row)
  }

  /** A code that signs in one browser once, within 10 minutes. */
  async createSignInCode(userId: string): Promise<IssuedSecret> {
    const code = this.#issue(CODE_LIFETIME_MS)
    await insertSignInCode(this.#db.kysely, { code_hash: hashSecret(code.secret), user_id: userId, expires_at: code.expiresAt })
    return code
  }

  /** Exchanges a sign-in code for a browser session of 30 days. Throws `unauthenticated` for a code that is unknown, used or expired. */
  signIn(code: string): Promise<{ readonly user: AuthUser; readonly session: IssuedSecret }> {
    return this.#db.transaction(async (tx) => {
      const userId = await takeSignInCode(tx, hashSecret(code))
      const row = userId === undefined ? undefined : await findUser(tx, userId)
      if (row === undefined) throw new AppError('unauthenticated', 'This sign-in code is wrong, used or expired. `buildscale login` prints a new link.')
      const session = this.#issue(SESSION_LIFETIME_MS)
      await insertBrowserSession(tx, { session_hash: hashSecret(session.secret), user_id: row.id, expires_at: session.expiresAt })
      return { user: authUser(row), session }
    })
  }

  /** Ends a browser session; an unknown one is fine. */
  async signOut(secret: string): Promise<void> {
    await deleteBrowserSession(this.#db.kysely, hashSecret(secret))
  }

  #issue(lifetimeMs: number): IssuedSecret {
    return { secret: newSecret(), expiresAt: new Date(this.#now() + lifetimeMs) }
  }

  /** User and workspace in one transaction, so that `main` exists whenever its owner does, and a deleted `main` stays deleted. */
  async #localOwner(): Promise<AuthUser> {
    const existing = await findLocalOwner(this.#db.kysely)
    if (existing !== undefined) return authUser(existing)
    return await this.#db.transaction((tx) => this.#createLocalOwner(tx))
  }

  async #createLocalOwner(tx: DbConn): Promise<AuthUser> {
    const created = await insertLocalOwner(tx, { id: uuidv7(), name: 'local owner', email: null })
    const row = created ?? (await findLocalOwner(tx))
    if (row === undefined) throw new Error('the local owner vanished while it was created')
    if (created !== undefined) {
      const workspaceId = uuidv7()
      await insertWorkspace(tx, { id: workspaceId, name: FIRST_WORKSPACE, owner_id: created.id })
      await saveMember(tx, { workspaceId, userId: created.id }, 'owner')
    }
    return authUser(row)
  }
}
