/** Vectors of chunks, by embedder, and how far each embedder has come in each workspace. */
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import type { ChunkRow } from './semantic-passage-repository.ts'

/** The vectors of one embedder in one workspace. */
export interface VectorSpace {
  readonly workspaceId: string
  /** The embedder's id. */
  readonly embedder: string
}

/** Workspaces in which there may be chunks without a vector, and which no other worker is at, at most `limit`. */
export async function findUnfinishedWorkspaces(conn: DbConn, query: { readonly embedder: string; readonly worker: string; readonly limit: number }): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT s.workspace_id AS id FROM semantic_workspaces s
    LEFT JOIN semantic_progress p ON p.workspace_id = s.workspace_id AND p.embedder = ${query.embedder}
    WHERE s.chunk_seq > coalesce(p.done_seq, 0) AND (coalesce(p.lease_until, '-infinity') < now() OR p.worker = ${query.worker}::uuid)
    ORDER BY s.workspace_id LIMIT ${query.limit}`.execute(conn)
  return rows.map(({ id }) => id)
}

export interface Lease {
  readonly worker: string
  readonly ms: number
}

/** Takes or keeps the right to embed a workspace, so that no text is paid for twice. Answers the workspace's chunk seq; undefined when another worker has the right. */
export async function claimSpace(conn: DbConn, { workspaceId, embedder }: VectorSpace, { worker, ms }: Lease): Promise<number | undefined> {
  const { rows } = await sql<{ chunkSeq: number }>`
    WITH claimed AS (
      INSERT INTO semantic_progress (workspace_id, embedder, worker, lease_until) VALUES (${workspaceId}::uuid, ${embedder}, ${worker}::uuid, now() + ${ms} * interval '1 ms')
      ON CONFLICT (workspace_id, embedder) DO UPDATE SET worker = EXCLUDED.worker, lease_until = EXCLUDED.lease_until, used_at = now()
        WHERE semantic_progress.worker = EXCLUDED.worker OR coalesce(semantic_progress.lease_until, '-infinity') < now()
      RETURNING workspace_id
    )
    SELECT s.chunk_seq AS "chunkSeq" FROM claimed JOIN semantic_workspaces s USING (workspace_id)`.execute(conn)
  return rows[0]?.chunkSeq
}

/** Gives the right back. `doneSeq`: everything up to this chunk seq has its vector. */
export async function releaseSpace(conn: DbConn, { workspaceId, embedder }: VectorSpace, end: { readonly worker: string; readonly doneSeq?: number }): Promise<void> {
  const done = end.doneSeq === undefined ? sql`done_seq` : sql`greatest(done_seq, ${end.doneSeq})`
  await sql`
    UPDATE semantic_progress SET lease_until = NULL, worker = NULL, done_seq = ${done}
    WHERE workspace_id = ${workspaceId}::uuid AND embedder = ${embedder} AND worker = ${end.worker}::uuid`.execute(conn)
}

/** Remembers why nothing could be embedded, for whoever asks how far it is. */
export async function noteFailure(conn: DbConn, { workspaceId, embedder }: VectorSpace, message: string): Promise<void> {
  await sql`UPDATE semantic_progress SET last_error = ${message}, failed_at = now() WHERE workspace_id = ${workspaceId}::uuid AND embedder = ${embedder}`.execute(conn)
}

/** Chunks that stand in a file and have no vector yet, in the order of their hashes. */
export async function findPendingChunks(conn: DbConn, { workspaceId, embedder }: VectorSpace, page: { readonly after: Buffer; readonly limit: number }): Promise<readonly ChunkRow[]> {
  const { rows } = await sql<ChunkRow>`
    SELECT c.hash, c.context, c.body FROM semantic_chunks c
    WHERE c.workspace_id = ${workspaceId}::uuid AND c.hash > ${page.after}
      AND NOT EXISTS (SELECT 1 FROM semantic_vectors v WHERE v.workspace_id = c.workspace_id AND v.embedder = ${embedder} AND v.chunk_hash = c.hash)
      AND EXISTS (SELECT 1 FROM semantic_passages p WHERE p.workspace_id = c.workspace_id AND p.chunk_hash = c.hash)
    ORDER BY c.hash LIMIT ${page.limit}`.execute(conn)
  return rows
}

/** What an embedder made of a chunk: a vector, or why it refuses the text. */
export type NewVector = { readonly hash: Buffer; readonly vector: Buffer; readonly refusal: null } | { readonly hash: Buffer; readonly vector: null; readonly refusal: string }

/** The number of coordinates that the vectors of this space have: the given one, unless others were stored before. */
export async function fixDimensions(tx: DbConn, { workspaceId, embedder }: VectorSpace, dimensions: number): Promise<number> {
  const { rows } = await sql<{ dimensions: number }>`
    UPDATE semantic_progress SET dimensions = coalesce(dimensions, ${dimensions}) WHERE workspace_id = ${workspaceId}::uuid AND embedder = ${embedder} RETURNING dimensions`.execute(tx)
  return rows[0]?.dimensions ?? dimensions
}

/** Stores vectors under the next seqs. The row that counts them is held until the commit, so that seqs appear in order on every node. Chunks that went meanwhile, or have one, are left out. */
export async function storeVectors(tx: DbConn, { workspaceId, embedder }: VectorSpace, vectors: readonly NewVector[]): Promise<void> {
  await sql`
    WITH counted AS (
      UPDATE semantic_progress SET vector_seq = vector_seq + ${vectors.length}, last_error = NULL, failed_at = NULL
      WHERE workspace_id = ${workspaceId}::uuid AND embedder = ${embedder} RETURNING vector_seq - ${vectors.length} AS base
    ), present AS (
      SELECT hash FROM semantic_chunks WHERE workspace_id = ${workspaceId}::uuid AND hash = ANY(${vectors.map(({ hash }) => hash)}::bytea[]) ORDER BY hash FOR KEY SHARE
    )
    INSERT INTO semantic_vectors (workspace_id, embedder, chunk_hash, seq, vector, refusal)
    SELECT ${workspaceId}::uuid, ${embedder}, made.hash, counted.base + made.number, made.vector, made.refusal
    FROM counted, unnest(${vectors.map(({ hash }) => hash)}::bytea[], ${vectors.map(({ vector }) => vector)}::bytea[], ${vectors.map(({ refusal }) => refusal)}::text[]) WITH ORDINALITY AS made (hash, vector, refusal, number)
    JOIN present ON present.hash = made.hash
    ON CONFLICT (workspace_id, embedder, chunk_hash) DO NOTHING`.execute(tx)
}

/** Where the vectors of a space are now. */
export interface SpaceState {
  readonly vectorSeq: number
  readonly generation: number
  /** Null before the first vector. */
  readonly dimensions: number | null
}

export async function readSpaceState(conn: DbConn, { workspaceId, embedder }: VectorSpace): Promise<SpaceState | undefined> {
  const { rows } = await sql<SpaceState>`
    SELECT vector_seq AS "vectorSeq", generation, dimensions FROM semantic_progress WHERE workspace_id = ${workspaceId}::uuid AND embedder = ${embedder}`.execute(conn)
  return rows[0]
}

export interface StoredVector {
  readonly hash: Buffer
  readonly seq: number
  readonly vector: Buffer
}

/** The vectors after a seq, in order. */
export async function readVectors(conn: DbConn, { workspaceId, embedder }: VectorSpace, page: { readonly after: number; readonly limit: number }): Promise<readonly StoredVector[]> {
  const { rows } = await sql<StoredVector>`
    SELECT chunk_hash AS hash, seq, vector FROM semantic_vectors
    WHERE workspace_id = ${workspaceId}::uuid AND embedder = ${embedder} AND seq > ${page.after} AND vector IS NOT NULL ORDER BY seq LIMIT ${page.limit}`.execute(conn)
  return rows
}

/** How many vectors a space has. */
export async function countVectors(conn: DbConn, { workspaceId, embedder }: VectorSpace): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) AS count FROM semantic_vectors WHERE workspace_id = ${workspaceId}::uuid AND embedder = ${embedder} AND vector IS NOT NULL`.execute(conn)
  return rows[0]?.count ?? 0
}

/** Tells every node that vectors of the workspace were removed. */
export async function advanceGeneration(tx: DbConn, workspaceId: string): Promise<void> {
  await sql`UPDATE semantic_progress SET generation = generation + 1 WHERE workspace_id = ${workspaceId}::uuid`.execute(tx)
}

/** What the counts of a space depend on, as one text: as long as it is the same, so are they. And why nothing can be embedded at the moment. */
export async function readCountState(conn: DbConn, { workspaceId, embedder }: VectorSpace): Promise<{ readonly key: string; readonly lastError: string | null }> {
  const { rows } = await sql<{ key: string; lastError: string | null }>`
    SELECT concat(w.change_seq, ':', s.chunk_seq, ':', p.vector_seq, ':', p.generation) AS key, p.last_error AS "lastError" FROM workspaces w
    LEFT JOIN semantic_workspaces s ON s.workspace_id = w.id LEFT JOIN semantic_progress p ON p.workspace_id = w.id AND p.embedder = ${embedder}
    WHERE w.id = ${workspaceId}::uuid`.execute(conn)
  return rows[0] ?? { key: '', lastError: null }
}

/** How much of a workspace's active files has vectors. */
export interface SpaceCounts {
  readonly chunks: number
  readonly embedded: number
  readonly refused: number
}

export async function countSpace(conn: DbConn, { workspaceId, embedder }: VectorSpace): Promise<SpaceCounts> {
  const { rows } = await sql<SpaceCounts>`
    SELECT count(*) AS chunks, count(v.vector) AS embedded, count(v.refusal) AS refused
    FROM (
      SELECT DISTINCT p.chunk_hash FROM semantic_passages p
      JOIN files f ON f.workspace_id = p.workspace_id AND f.id = p.file_id AND f.deleted_at IS NULL WHERE p.workspace_id = ${workspaceId}::uuid
    ) AS present
    LEFT JOIN semantic_vectors v ON v.workspace_id = ${workspaceId}::uuid AND v.embedder = ${embedder} AND v.chunk_hash = present.chunk_hash`.execute(conn)
  return rows[0] ?? { chunks: 0, embedded: 0, refused: 0 }
}

/** Says that this node works with this embedder, and removes what embedders made that no node has used since `before`. */
export async function retireEmbedders(conn: DbConn, embedder: string, before: Date): Promise<void> {
  await sql`UPDATE semantic_progress SET used_at = now() WHERE embedder = ${embedder} AND used_at < now() - interval '1 day'`.execute(conn)
  await sql`DELETE FROM semantic_progress WHERE embedder <> ${embedder} AND used_at < ${before}`.execute(conn)
}
