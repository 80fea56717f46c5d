/** Which texts a workspace's files hold for the search by meaning: chunks, and the passages where they stand. */
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'

export interface ChunkRow {
  /** SHA-256 of context and body. */
  readonly hash: Buffer
  /** What stands above the body, such as the headings; embedded with it. */
  readonly context: string
  readonly body: string
}

/** Where a chunk stands in a file; lines count from 1. */
export interface PassageRow {
  readonly chunkHash: Buffer
  readonly startLine: number
  readonly endLine: number
  readonly heading: string | null
}

export interface FilePassages {
  readonly fileId: string
  readonly contentHash: Buffer
  readonly passages: readonly PassageRow[]
}

/** Those of `fileIds` whose passages were made from the given bytes by these rules, as `<file id>:<hex hash>`. */
export async function readCutFiles(conn: DbConn, workspaceId: string, query: { readonly fileIds: readonly string[]; readonly rules: number }): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ key: string }>`
    SELECT file_id || ':' || encode(content_hash, 'hex') AS key FROM semantic_files
    WHERE workspace_id = ${workspaceId}::uuid AND file_id = ANY(${query.fileIds}::uuid[]) AND rules = ${query.rules}`.execute(conn)
  return new Set(rows.map(({ key }) => key))
}

/**
 * Notes which bytes of which files are about to get passages, and holds those files until the commit. Answers the ids of the files that still exist with these
 * bytes as their latest ones: a text that was overtaken meanwhile must not replace a newer one.
 */
export async function claimFiles(tx: DbConn, workspaceId: string, claim: { readonly files: readonly FilePassages[]; readonly rules: number }): Promise<ReadonlySet<string>> {
  const { files, rules } = claim
  const { rows } = await sql<{ id: string }>`
    WITH latest AS (
      SELECT f.id, given.hash FROM unnest(${files.map(({ fileId }) => fileId)}::uuid[], ${files.map(({ contentHash }) => contentHash)}::bytea[]) AS given (id, hash)
      JOIN files f ON f.workspace_id = ${workspaceId}::uuid AND f.id = given.id
      JOIN file_versions v ON v.workspace_id = f.workspace_id AND v.id = f.latest_version_id AND v.blob_hash = given.hash
      ORDER BY f.id FOR KEY SHARE OF f
    )
    INSERT INTO semantic_files (workspace_id, file_id, content_hash, rules) SELECT ${workspaceId}::uuid, id, hash, ${rules} FROM latest
    ON CONFLICT (workspace_id, file_id) DO UPDATE SET content_hash = EXCLUDED.content_hash, rules = EXCLUDED.rules
    RETURNING file_id AS id`.execute(tx)
  return new Set(rows.map(({ id }) => id))
}

/** Stores chunks that are new; those that are there count as used now. In the order of their hashes, so that two writers never wait for each other. */
export async function storeChunks(tx: DbConn, workspaceId: string, chunks: readonly ChunkRow[]): Promise<void> {
  const ordered = chunks.toSorted((a, b) => a.hash.compare(b.hash))
  await sql`
    INSERT INTO semantic_chunks (workspace_id, hash, context, body)
    SELECT ${workspaceId}::uuid, chunk.* FROM unnest(${ordered.map(({ hash }) => hash)}::bytea[], ${ordered.map(({ context }) => context)}::text[], ${ordered.map(({ body }) => body)}::text[]) AS chunk
    ON CONFLICT (workspace_id, hash) DO UPDATE SET used_at = now()`.execute(tx)
}

/** Gives files their passages, all of them; those that they had go. */
export async function replacePassages(tx: DbConn, workspaceId: string, files: readonly FilePassages[]): Promise<void> {
  await releaseChunks(tx, workspaceId, sql`DELETE FROM semantic_passages WHERE workspace_id = ${workspaceId}::uuid AND file_id = ANY(${files.map(({ fileId }) => fileId)}::uuid[])`)
  const rows = files.flatMap(({ fileId, passages }) => passages.map((passage, index) => ({ fileId, index, ...passage })))
  const column = <T>(pick: (row: (typeof rows)[number]) => T): T[] => rows.map(pick)
  await sql`
    INSERT INTO semantic_passages (workspace_id, file_id, index, chunk_hash, start_line, end_line, heading)
    SELECT ${workspaceId}::uuid, passage.* FROM unnest(
      ${column(({ fileId }) => fileId)}::uuid[], ${column(({ index }) => index)}::integer[], ${column(({ chunkHash }) => chunkHash)}::bytea[],
      ${column(({ startLine }) => startLine)}::integer[], ${column(({ endLine }) => endLine)}::integer[], ${column(({ heading }) => heading)}::text[]) AS passage`.execute(tx)
}

/** Chunks that lose a passage are kept for a while from now on: the file may come back, or return to what it was. */
async function releaseChunks(tx: DbConn, workspaceId: string, removal: ReturnType<typeof sql>): Promise<void> {
  await sql`
    WITH gone AS (${removal} RETURNING chunk_hash), held AS (
      SELECT hash FROM semantic_chunks WHERE workspace_id = ${workspaceId}::uuid AND hash IN (SELECT chunk_hash FROM gone) ORDER BY hash FOR NO KEY UPDATE
    )
    UPDATE semantic_chunks c SET used_at = now() FROM held WHERE c.workspace_id = ${workspaceId}::uuid AND c.hash = held.hash`.execute(tx)
}

/** Says that the workspace has new passages. First in its transaction: who changes a workspace's chunks takes turns under this row. */
export async function advanceChunkSeq(tx: DbConn, workspaceId: string): Promise<void> {
  await sql`
    INSERT INTO semantic_workspaces (workspace_id, chunk_seq) VALUES (${workspaceId}::uuid, 1)
    ON CONFLICT (workspace_id) DO UPDATE SET chunk_seq = semantic_workspaces.chunk_seq + 1`.execute(tx)
}

/** Forgets files. Those in the trash keep their passages, which nobody finds there, so that bringing them back costs nothing. */
export async function removePassages(tx: DbConn, workspaceId: string, fileIds: readonly string[]): Promise<void> {
  const removed = sql`
    DELETE FROM semantic_passages p WHERE p.workspace_id = ${workspaceId}::uuid AND p.file_id = ANY(${fileIds}::uuid[])
      AND NOT EXISTS (SELECT 1 FROM files f WHERE f.workspace_id = p.workspace_id AND f.id = p.file_id AND f.deleted_at IS NOT NULL)`
  await releaseChunks(tx, workspaceId, removed)
  await sql`
    DELETE FROM semantic_files s WHERE s.workspace_id = ${workspaceId}::uuid AND s.file_id = ANY(${fileIds}::uuid[])
      AND NOT EXISTS (SELECT 1 FROM semantic_passages p WHERE p.workspace_id = s.workspace_id AND p.file_id = s.file_id)`.execute(tx)
}

/** True when one of the files is not even in the trash any more. */
export async function hasPurged(conn: DbConn, workspaceId: string, fileIds: readonly string[]): Promise<boolean> {
  const { rows } = await sql<{ purged: boolean }>`
    SELECT EXISTS (SELECT 1 FROM unnest(${fileIds}::uuid[]) AS given (id) WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.workspace_id = ${workspaceId}::uuid AND f.id = given.id)) AS purged`.execute(conn)
  return rows[0]?.purged === true
}

/** A passage of an active file. */
export interface FoundPassage {
  readonly fileId: string
  readonly path: string
  readonly startLine: number
  readonly endLine: number
  readonly heading: string | null
  readonly body: string
  /** Hex. */
  readonly chunkHash: string
}

/** Where chunks stand in active files of `folder` (or in that file), at most `limit` places each. */
export async function findPassages(conn: DbConn, workspaceId: string, query: { readonly hashes: readonly Buffer[]; readonly folder: string; readonly limit: number }): Promise<readonly FoundPassage[]> {
  const { hashes, folder, limit } = query
  const within = folder === '/' ? sql`TRUE` : sql`(f.path = ${folder} OR (f.path > ${`${folder}/`} AND f.path < ${`${folder}0`}))`
  const { rows } = await sql<FoundPassage>`
    SELECT p.file_id AS "fileId", p.path, p.start_line AS "startLine", p.end_line AS "endLine", p.heading, c.body, encode(wanted.hash, 'hex') AS "chunkHash"
    FROM unnest(${hashes}::bytea[]) AS wanted (hash)
    JOIN semantic_chunks c ON c.workspace_id = ${workspaceId}::uuid AND c.hash = wanted.hash
    CROSS JOIN LATERAL (
      SELECT p.file_id, f.path, p.start_line, p.end_line, p.heading FROM semantic_passages p
      JOIN files f ON f.workspace_id = p.workspace_id AND f.id = p.file_id AND f.deleted_at IS NULL
      WHERE p.workspace_id = ${workspaceId}::uuid AND p.chunk_hash = wanted.hash AND ${within} ORDER BY f.path, p.index LIMIT ${limit}
    ) AS p`.execute(conn)
  return rows
}

/** Removes chunks that no passage names and that were not used since `before`, with their vectors, at most `limit`. Answers how many went. */
export async function deleteUnusedChunks(tx: DbConn, workspaceId: string, options: { readonly before: Date; readonly limit: number }): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM semantic_chunks WHERE workspace_id = ${workspaceId}::uuid AND used_at < ${options.before} AND hash IN (
      SELECT c.hash FROM semantic_chunks c WHERE c.workspace_id = ${workspaceId}::uuid AND c.used_at < ${options.before}
        AND NOT EXISTS (SELECT 1 FROM semantic_passages p WHERE p.workspace_id = c.workspace_id AND p.chunk_hash = c.hash)
      LIMIT ${options.limit})`.execute(tx)
  return Number(numAffectedRows ?? 0)
}
