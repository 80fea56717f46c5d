import type { Db } from '../../db/db.ts'
import { deleteUnreferencedBlobs } from '../../repositories/blob-repository.ts'
import { lockJournal, readAllChangeSeqs } from '../../repositories/change-repository.ts'

/** Bytes that were stored ahead of a change get this long to be named by it. */
const GRACE_MS = 24 * 60 * 60_000
const BATCH = 1_000

/** Removes bytes that no version names: uploads whose change never came. */
export class BlobCollector {
  readonly #db: Db
  readonly #now: () => number

  constructor({ db, now = Date.now }: { readonly db: Db; readonly now?: () => number }) {
    this.#db = db
    this.#now = now
  }

  /** One pass over every workspace, each locked only for one batch at a time. Answers how many blobs went. */
  async collect(signal?: AbortSignal): Promise<number> {
    let collected = 0
    for (const { id } of await readAllChangeSeqs(this.#db.kysely)) {
      for (let removed = BATCH; removed === BATCH && signal?.aborted !== true; collected += removed) removed = await this.#collectBatch(id)
    }
    return collected
  }

  #collectBatch(workspaceId: string): Promise<number> {
    const before = new Date(this.#now() - GRACE_MS)
    return this.#db.transaction(async (tx) => ((await lockJournal(tx, workspaceId)) === undefined ? 0 : deleteUnreferencedBlobs(tx, workspaceId, { before, limit: BATCH })))
  }
}
