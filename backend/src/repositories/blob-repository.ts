/** Bytes by their SHA-256, one copy per workspace: up to 1 MiB in the row, above that in chunks, so that no statement ever carries more than a chunk. */
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'

/** The largest blob that is kept in its row. */
export const INLINE_BYTES = 1024 * 1024
export const CHUNK_BYTES = 256 * 1024

export interface BlobKey {
  readonly workspaceId: string
  /** SHA-256. */
  readonly hash: Buffer
}

/** Stores the head of a large blob; its chunks follow in the same transaction. False when the bytes are stored already: they then count as fresh again. */
export async function insertLargeBlob(tx: DbConn, { workspaceId, hash }: BlobKey, size: number): Promise<boolean> {
  const { rows } = await sql<{ isNew: boolean }>`
    INSERT INTO blobs (workspace_id, hash, size) VALUES (${workspaceId}::uuid, ${hash}, ${size})
    ON CONFLICT (workspace_id, hash) DO UPDATE SET created_at = now()
    RETURNING xmax = 0 AS "isNew"`.execute(tx)
  return rows[0]?.isNew === true
}

export async function insertChunk(tx: DbConn, { workspaceId, hash }: BlobKey, chunk: { readonly index: number; readonly data: Buffer }): Promise<void> {
  await tx.insertInto('blob_chunks').values({ workspace_id: workspaceId, hash, ...chunk }).execute()
}

/** Part of a blob that is kept in its row, both ends inclusive. */
async function readInlineRange(conn: DbConn, { workspaceId, hash }: BlobKey, range: { readonly start: number; readonly end: number }): Promise<Buffer | undefined> {
  const { rows } = await sql<{ data: Buffer | null }>`
    SELECT substring(content FROM ${range.start + 1}::int FOR ${range.end - range.start + 1}::int) AS data
    FROM blobs WHERE workspace_id = ${workspaceId}::uuid AND hash = ${hash}`.execute(conn)
  return rows[0]?.data ?? undefined
}

async function readChunk(conn: DbConn, { workspaceId, hash }: BlobKey, index: number): Promise<Buffer | undefined> {
  const row = await conn.selectFrom('blob_chunks').select('data').where('workspace_id', '=', workspaceId).where('hash', '=', hash).where('index', '=', index).executeTakeFirst()
  return row?.data
}

/** How large a blob is; undefined when the workspace does not have it (any more). */
export async function blobSize(conn: DbConn, { workspaceId, hash }: BlobKey): Promise<number | undefined> {
  const row = await conn.selectFrom('blobs').select('size').where('workspace_id', '=', workspaceId).where('hash', '=', hash).executeTakeFirst()
  return row?.size
}

/** Many small blobs in one round trip. The caller bounds their sum; blobs that are kept in chunks are left out. */
export async function readInlineMany(conn: DbConn, workspaceId: string, hashes: readonly Buffer[]): Promise<ReadonlyMap<string, Buffer>> {
  const { rows } = await sql<{ hash: Buffer; content: Buffer }>`
    SELECT hash, content FROM blobs WHERE workspace_id = ${workspaceId}::uuid AND hash = ANY(${hashes}::bytea[]) AND content IS NOT NULL`.execute(conn)
  return new Map(rows.map((row) => [row.hash.toString('hex'), row.content]))
}

/** What the bytes `range` (both ends inclusive) of a blob of `size` bytes are: read one chunk at a time, a connection held only for each. */
export async function* readBlob(conn: DbConn, key: BlobKey, range: { readonly size: number; readonly start: number; readonly end: number }): AsyncGenerator<Buffer> {
  const { size, start, end } = range
  if (end < start) return
  if (size <= INLINE_BYTES) {
    yield present(await readInlineRange(conn, key, { start, end }), key)
    return
  }
  for (let index = Math.floor(start / CHUNK_BYTES); index * CHUNK_BYTES <= end; index += 1) {
    const data = present(await readChunk(conn, key, index), key)
    const offset = index * CHUNK_BYTES
    yield data.subarray(Math.max(0, start - offset), Math.min(data.length, end - offset + 1))
  }
}

function present(data: Buffer | undefined, key: BlobKey): Buffer {
  if (data === undefined) throw new Error(`blob ${key.hash.toString('hex')} of workspace ${key.workspaceId} has lost bytes in the database`)
  return data
}

/** Removes blobs, at most `limit`, that no version names and that were stored before `before`. The workspace must be locked: a version may be about to name one. */
export async function deleteUnreferencedBlobs(tx: DbConn, workspaceId: string, options: { readonly before: Date; readonly limit: number }): Promise<number> {
  const result = await sql`
    DELETE FROM blobs WHERE workspace_id = ${workspaceId}::uuid AND hash IN (
      SELECT b.hash FROM blobs b WHERE b.workspace_id = ${workspaceId}::uuid AND b.created_at < ${options.before} AND ${isUnreferenced}
      LIMIT ${options.limit})`.execute(tx)
  return Number(result.numAffectedRows ?? 0)
}

/** Removes those of some blobs that no version names any more, now. Answers how many bytes the workspace counted for them. The workspace must be locked. */
export async function deleteForgottenBlobs(tx: DbConn, workspaceId: string, hashes: readonly Buffer[]): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    WITH gone AS (
      DELETE FROM blobs b WHERE b.workspace_id = ${workspaceId}::uuid AND b.hash = ANY(${hashes}::bytea[]) AND ${isUnreferenced} RETURNING b.size, b.counted
    )
    SELECT coalesce(sum(size) FILTER (WHERE counted), 0)::bigint AS bytes FROM gone`.execute(tx)
  return rows[0]?.bytes ?? 0
}

const isUnreferenced = sql`NOT EXISTS (SELECT 1 FROM file_versions v WHERE v.workspace_id = b.workspace_id AND v.blob_hash = b.hash)`

/** What a workspace stores and may store, and whether it has these bytes already; undefined when it does not exist. Locks nothing. */
export async function readUsage(conn: DbConn, { workspaceId, hash }: BlobKey): Promise<BlobUsage | undefined> {
  const { rows } = await sql<BlobUsage>`
    SELECT stored_bytes AS "storedBytes", quota_bytes AS "quotaBytes", EXISTS (SELECT 1 FROM blobs b WHERE b.workspace_id = w.id AND b.hash = ${hash}) AS "isStored"
    FROM workspaces w WHERE w.id = ${workspaceId}::uuid AND w.deleted_at IS NULL`.execute(conn)
  return rows[0]
}

export interface BlobUsage {
  readonly storedBytes: number
  /** Null: no limit. */
  readonly quotaBytes: number | null
  readonly isStored: boolean
}
