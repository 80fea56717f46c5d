import type { Db } from '../../../db/db.ts'
import { readAllChangeSeqs } from '../../../repositories/change-repository.ts'
import { advanceChunkSeq, deleteUnusedChunks } from '../../../repositories/semantic-passage-repository.ts'
import { advanceGeneration, retireEmbedders } from '../../../repositories/semantic-vector-repository.ts'

/** Texts that no file holds any more are kept this long: a rewind or an undo makes them current again, without embedding them. */
const CHUNK_GRACE_MS = 24 * 60 * 60_000
/** Vectors of an embedder that no node uses: whoever goes back to it within this time pays nothing. */
const EMBEDDER_GRACE_MS = 30 * 24 * 60 * 60_000
const BATCH = 1_000

export interface Sweep {
  /** The id of this node's embedder. */
  readonly embedder: string
  readonly now: number
  readonly signal?: AbortSignal
}

/** Removes what the files of no workspace need any more. Answers how many chunks went. */
export async function sweepSemanticIndex(db: Db, { embedder, now, signal }: Sweep): Promise<number> {
  await retireEmbedders(db.kysely, embedder, new Date(now - EMBEDDER_GRACE_MS))
  let removed = 0
  for (const { id } of await readAllChangeSeqs(db.kysely)) {
    if (signal?.aborted === true) break
    removed += await sweepWorkspace(db, id, new Date(now - CHUNK_GRACE_MS))
  }
  return removed
}

/** Removes the chunks of a workspace that no file holds and none has held since `before`. Answers how many went. */
export async function sweepWorkspace(db: Db, workspaceId: string, before: Date): Promise<number> {
  let removed = 0
  for (let count = BATCH; count === BATCH; removed += count) count = await sweepBatch(db, workspaceId, before)
  return removed
}

/** Nodes that hold the vectors in memory learn of it by the generation; nothing is noted when nothing goes. */
function sweepBatch(db: Db, workspaceId: string, before: Date): Promise<number> {
  return db.transaction(async (tx) => {
    await advanceChunkSeq(tx, workspaceId)
    await advanceGeneration(tx, workspaceId)
    const removed = await deleteUnusedChunks(tx, workspaceId, { before, limit: BATCH })
    if (removed === 0) throw new NothingToSweep()
    return removed
  }).catch((error: unknown) => {
    if (error instanceof NothingToSweep) return 0
    throw error
  })
}

class NothingToSweep extends Error {}
