/** A copy of the vectors in the type of the extension pgvector, for servers that have it. Not part of the migrations: the extension comes and goes with the server. */
import { sql } from 'kysely'
import { createHash } from 'node:crypto'
import type { DbConn } from '../db/db.ts'
import type { VectorSpace } from './semantic-vector-repository.ts'

/** Any fixed number: servers that start at the same time take turns under it. */
const SETUP_LOCK = 7_104_311_483

/** True when the extension is there, or could be put there by whoever has the right to. */
export async function isPgvectorOffered(conn: DbConn): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`SELECT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'vector') AS found`.execute(conn)
  return rows[0]?.found === true
}

/** Puts the extension and the table in place. Throws when we may not. */
export async function setUpPgvector(tx: DbConn): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${SETUP_LOCK})`.execute(tx)
  await sql`CREATE EXTENSION IF NOT EXISTS vector`.execute(tx)
  await sql`
    CREATE TABLE IF NOT EXISTS semantic_pgvectors (
      workspace_id uuid NOT NULL,
      embedder text NOT NULL,
      chunk_hash bytea NOT NULL,
      seq bigint NOT NULL,
      embedding vector NOT NULL,
      PRIMARY KEY (workspace_id, embedder, chunk_hash),
      FOREIGN KEY (workspace_id, embedder, chunk_hash) REFERENCES semantic_vectors ON DELETE CASCADE
    )`.execute(tx)
  await sql`CREATE UNIQUE INDEX IF NOT EXISTS semantic_pgvectors_seq ON semantic_pgvectors (workspace_id, embedder, seq)`.execute(tx)
}

/** The last seq that was copied; 0 before the first. */
export async function lastCopiedSeq(conn: DbConn, { workspaceId, embedder }: VectorSpace): Promise<number> {
  const { rows } = await sql<{ seq: number }>`SELECT coalesce(max(seq), 0) AS seq FROM semantic_pgvectors WHERE workspace_id = ${workspaceId}::uuid AND embedder = ${embedder}`.execute(conn)
  return rows[0]?.seq ?? 0
}

/** A vector as pgvector writes it: `[0.1,0.2]`. */
export interface CopiedVector {
  readonly hash: Buffer
  readonly seq: number
  readonly text: string
}

/** Copies vectors. Those whose original went meanwhile are left out. */
export async function copyVectors(conn: DbConn, { workspaceId, embedder }: VectorSpace, vectors: readonly CopiedVector[]): Promise<void> {
  await sql`
    INSERT INTO semantic_pgvectors (workspace_id, embedder, chunk_hash, seq, embedding)
    SELECT v.workspace_id, v.embedder, v.chunk_hash, v.seq, given.text::vector
    FROM unnest(${vectors.map(({ hash }) => hash)}::bytea[], ${vectors.map(({ text }) => text)}::text[]) AS given (hash, text)
    JOIN semantic_vectors v ON v.workspace_id = ${workspaceId}::uuid AND v.embedder = ${embedder} AND v.chunk_hash = given.hash
    ORDER BY v.seq ON CONFLICT DO NOTHING`.execute(conn)
}

export interface PgvectorQuery {
  readonly space: VectorSpace
  readonly dimensions: number
  readonly text: string
  readonly limit: number
}

export interface PgvectorRow {
  readonly hash: Buffer
  readonly score: number
}

/** The most candidates that pgvector's own index collects for one query (`hnsw.ef_search`). */
export const MOST_CANDIDATES = 1_000
/** The most coordinates that its index takes. */
const MOST_INDEXED_DIMENSIONS = 2_000

/**
 * The nearest vectors, best first. Through the index of the space where there is one and it can answer that many; else by comparing all. The conditions are written
 * as the index has them, or it would not be used.
 */
export async function nearestVectors(tx: DbConn, { space, dimensions, text, limit }: PgvectorQuery): Promise<readonly PgvectorRow[]> {
  await sql`SELECT set_config('hnsw.ef_search', ${String(Math.min(MOST_CANDIDATES, Math.max(40, limit)))}, true), set_config('enable_indexscan', ${limit > MOST_CANDIDATES ? 'off' : 'on'}, true)`.execute(tx)
  const distance = sql`embedding::vector(${sql.lit(dimensions)}) <=> ${text}::vector(${sql.lit(dimensions)})`
  const { rows } = await sql<PgvectorRow>`
    SELECT chunk_hash AS hash, 1 - (${distance}) AS score FROM semantic_pgvectors
    WHERE workspace_id = ${sql.lit(space.workspaceId)} AND embedder = ${sql.lit(space.embedder)} ORDER BY ${distance} LIMIT ${limit}`.execute(tx)
  return rows
}

/**
 * Makes pgvector's own index of one space, if it takes vectors of this size and is not there yet; one that was left half made is made again. Takes minutes for
 * hundreds of thousands of vectors and holds up no writer meanwhile. Must not run in a transaction.
 */
export async function makeSpaceIndex(conn: DbConn, { workspaceId, embedder }: VectorSpace, dimensions: number): Promise<void> {
  if (dimensions > MOST_INDEXED_DIMENSIONS) return
  const name = `semantic_hnsw_${createHash('sha256').update(`${workspaceId} ${embedder} ${dimensions}`).digest('hex').slice(0, 24)}`
  const { rows } = await sql<{ valid: boolean }>`SELECT i.indisvalid AS valid FROM pg_index i WHERE i.indexrelid = to_regclass(${name})`.execute(conn)
  if (rows[0]?.valid === true) return
  if (rows[0] !== undefined) await sql`DROP INDEX CONCURRENTLY IF EXISTS ${sql.id(name)}`.execute(conn)
  await sql`
    CREATE INDEX CONCURRENTLY IF NOT EXISTS ${sql.id(name)} ON semantic_pgvectors USING hnsw ((embedding::vector(${sql.lit(dimensions)})) vector_cosine_ops)
    WHERE workspace_id = ${sql.lit(workspaceId)} AND embedder = ${sql.lit(embedder)}`.execute(conn)
}
