import type { Db } from '../../db/db.ts'
import type { MirrorService } from '../../mirror/mirror-service.ts'
import { deleteWorkspaceRows, listDeletedWorkspaces } from '../../repositories/workspace-repository.ts'

export interface WorkspaceRemovalDeps {
  readonly db: Db
  readonly mirror: Pick<MirrorService, 'forget'>
  readonly log: { info(details: object, message: string): void; error(details: object, message: string): void }
}

/**
 * Removes what is left of deleted workspaces: rows, bytes, the copy on disk. Deleting one takes a moment and is answered at once; this takes as long as the
 * workspace is large, and is finished at the next start when the server ends in between.
 */
export class WorkspaceRemoval {
  readonly #deps: WorkspaceRemovalDeps
  #running: Promise<void> = Promise.resolve()

  constructor(deps: WorkspaceRemovalDeps) {
    this.#deps = deps
  }

  /** Begins, after the removals that were begun before. Never throws and never waits. */
  begin(): void {
    this.#running = this.#running.then(() => this.#run())
  }

  /** Resolves when all that was begun has ended. */
  async close(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    const { db, mirror, log } = this.#deps
    try {
      for (const workspaceId of await listDeletedWorkspaces(db.kysely)) {
        await mirror.forget(workspaceId)
        await db.transaction((tx) => deleteWorkspaceRows(tx, workspaceId))
        log.info({ workspaceId }, 'removed a deleted workspace')
      }
    } catch (error) {
      log.error({ err: error }, 'a deleted workspace could not be removed; it is tried again at the next start')
    }
  }
}
