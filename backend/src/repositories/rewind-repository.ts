/** The journal read backwards: what files were at a seq, and the statements that make many of them so again. */
import type { FileType } from '@buildscale/protocol'
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import { insertFolders, type NewFolderRow } from './file-repository.ts'
import type { NewVersionRow, VersionAuthor } from './file-version-repository.ts'

/** A stored version, as far as going back to it needs. */
export interface StoredContent {
  readonly id: string
  readonly number: number
  readonly hash: Buffer
  readonly size: number
  readonly mime: string
}

/** A file or folder that the journal names after some seq. */
export interface TouchedFile {
  readonly id: string
  /** Where it was at the seq; null when it did not exist, or was in the trash. `content` is null for a folder, and for a version that was purged. */
  readonly then: { readonly path: string; readonly fileType: FileType; readonly content: StoredContent | null } | null
  /** What it is now, in the tree or in the trash; null when it was purged. */
  readonly now: { readonly path: string; readonly fileType: FileType; readonly isTrashed: boolean; readonly content: StoredContent | null } | null
}

interface TouchedRow {
  readonly file_id: string
  readonly then_path: string | null
  readonly then_type: FileType | null
  readonly then_id: string | null
  readonly then_number: number | null
  readonly then_hash: Buffer | null
  readonly then_size: number | null
  readonly then_mime: string | null
  readonly now_path: string | null
  readonly now_type: FileType | null
  readonly is_trashed: boolean | null
  readonly now_id: string | null
  readonly now_number: number | null
  readonly now_hash: Buffer | null
  readonly now_size: number | null
  readonly now_mime: string | null
}

/** Every file that has a journal row after `seq`, at most `limit` of them, in no order. What it was is its last row up to there. */
export async function readTouchedFiles(conn: DbConn, workspaceId: string, { seq, limit }: { readonly seq: number; readonly limit: number }): Promise<TouchedFile[]> {
  const { rows } = await sql<TouchedRow>`
    WITH touched AS (SELECT DISTINCT file_id FROM changes WHERE workspace_id = ${workspaceId}::uuid AND seq > ${seq} LIMIT ${limit})
    SELECT touched.file_id,
      past.to_path AS then_path, past.file_type AS then_type, old.id AS then_id, old.number AS then_number, old.blob_hash AS then_hash, old.size AS then_size, old.mime AS then_mime,
      f.path AS now_path, f.file_type AS now_type, f.deleted_at IS NOT NULL AS is_trashed,
      v.id AS now_id, v.number AS now_number, v.blob_hash AS now_hash, v.size AS now_size, v.mime AS now_mime
    FROM touched
    LEFT JOIN LATERAL (
      SELECT c.to_path, c.file_type, c.version_id FROM changes c
      WHERE c.workspace_id = ${workspaceId}::uuid AND c.file_id = touched.file_id AND c.seq <= ${seq} ORDER BY c.seq DESC LIMIT 1
    ) AS past ON TRUE
    LEFT JOIN file_versions old ON old.workspace_id = ${workspaceId}::uuid AND old.id = past.version_id
    LEFT JOIN files f ON f.workspace_id = ${workspaceId}::uuid AND f.id = touched.file_id
    LEFT JOIN file_versions v ON v.workspace_id = f.workspace_id AND v.id = f.latest_version_id`.execute(conn)
  return rows.map(touchedFile)
}

function touchedFile(row: TouchedRow): TouchedFile {
  const { then_path: thenPath, then_type: thenType, now_path: nowPath, now_type: nowType } = row
  const was = content({ id: row.then_id, number: row.then_number, hash: row.then_hash, size: row.then_size, mime: row.then_mime })
  const is = content({ id: row.now_id, number: row.now_number, hash: row.now_hash, size: row.now_size, mime: row.now_mime })
  return {
    id: row.file_id,
    // A row of a removal names no path that the file went to.
    then: thenPath === null || thenType === null ? null : { path: thenPath, fileType: thenType, content: was },
    now: nowPath === null || nowType === null ? null : { path: nowPath, fileType: nowType, isTrashed: row.is_trashed === true, content: is },
  }
}

function content({ id, number, hash, size, mime }: { readonly [Key in keyof StoredContent]: StoredContent[Key] | null }): StoredContent | null {
  return id === null || number === null || hash === null || size === null || mime === null ? null : { id, number, hash, size, mime }
}

/** What stood at one path at some seq. */
export interface PastEntry {
  readonly fileId: string
  readonly path: string
  readonly fileType: FileType
  /** Null for a folder, and for a version that was purged since. */
  readonly hash: Buffer | null
  readonly version: number | null
}

/** The whole tree at a seq, by the bytes of its paths: the last journal row up to there of each file. */
export async function readTreeAt(conn: DbConn, workspaceId: string, seq: number): Promise<PastEntry[]> {
  const { rows } = await sql<PastEntry>`
    SELECT past.file_id AS "fileId", past.to_path AS path, past.file_type AS "fileType", v.blob_hash AS hash, v.number AS version
    FROM (
      SELECT DISTINCT ON (file_id) file_id, to_path, file_type, version_id FROM changes
      WHERE workspace_id = ${workspaceId}::uuid AND seq <= ${seq} ORDER BY file_id, seq DESC
    ) AS past
    LEFT JOIN file_versions v ON v.workspace_id = ${workspaceId}::uuid AND v.id = past.version_id
    WHERE past.to_path IS NOT NULL ORDER BY past.to_path`.execute(conn)
  return rows
}

/** The first change that a turn made, if it made one. */
export async function firstSeqOfTurn(conn: DbConn, workspaceId: string, turnId: string): Promise<number | undefined> {
  const { rows } = await sql<{ seq: number | null }>`
    SELECT min(seq) AS seq FROM changes WHERE workspace_id = ${workspaceId}::uuid AND turn_id = ${turnId}::uuid`.execute(conn)
  return rows[0]?.seq ?? undefined
}

/** The last change before a turn began; 0 when there was none. Undefined when the workspace has no such turn. */
export async function lastSeqBeforeTurn(conn: DbConn, workspaceId: string, turnId: string): Promise<number | undefined> {
  const { rows } = await sql<{ seq: number }>`
    SELECT coalesce((
      SELECT c.seq FROM changes c WHERE c.workspace_id = t.workspace_id AND c.at < coalesce(t.started_at, t.created_at) ORDER BY c.seq DESC LIMIT 1
    ), 0) AS seq
    FROM turns t WHERE t.workspace_id = ${workspaceId}::uuid AND t.id = ${turnId}::uuid`.execute(conn)
  return rows[0]?.seq
}

/** The final state of a file that is in the tree after a rewind. */
export interface PlacedFile {
  readonly id: string
  readonly parentId: string | null
  readonly name: string
  readonly path: string
  readonly fileType: FileType
  readonly latestVersionId: string | null
}

/** Everything that a rewind makes of the file tables. */
export interface TreeRewrite {
  readonly workspaceId: string
  readonly author: VersionAuthor
  /** Files in the tree that go, or go elsewhere. */
  readonly leaving: readonly string[]
  readonly folders: readonly NewFolderRow[]
  readonly versions: readonly (Omit<NewVersionRow, 'author'> & { readonly fileId: string })[]
  readonly placed: readonly PlacedFile[]
}

/**
 * Rewrites many files in a handful of statements, however many they are. All that leaves its place goes to the trash first, so that what comes finds its
 * path free: swaps need no order. What is not placed stays in the trash.
 */
export async function rewriteTree(tx: DbConn, rewrite: TreeRewrite): Promise<void> {
  const { workspaceId, leaving, folders, versions, placed } = rewrite
  if (leaving.length > 0) await sql`UPDATE files SET deleted_at = now() WHERE workspace_id = ${workspaceId}::uuid AND id = ANY(${leaving}::uuid[])`.execute(tx)
  if (folders.length > 0) await insertFolders(tx, workspaceId, folders)
  if (versions.length > 0) await insertVersions(tx, rewrite)
  if (placed.length > 0) await placeFiles(tx, workspaceId, placed)
}

async function insertVersions(tx: DbConn, { workspaceId, author, versions }: TreeRewrite): Promise<void> {
  await sql`
    INSERT INTO file_versions (id, workspace_id, file_id, number, blob_hash, size, mime, author_kind, author_id, turn_id, tool_call_id)
    SELECT version.id, ${workspaceId}::uuid, version.file_id, version.number, version.hash, version.size, version.mime,
      ${author.kind}, ${author.id}::uuid, ${author.turnId}::uuid, ${author.toolCallId}::uuid
    FROM unnest(${versions.map(({ id }) => id)}::uuid[], ${versions.map(({ fileId }) => fileId)}::uuid[], ${versions.map(({ number }) => number)}::int[],
      ${versions.map(({ hash }) => hash)}::bytea[], ${versions.map(({ size }) => size)}::bigint[], ${versions.map(({ mime }) => mime)}::text[])
      AS version (id, file_id, number, hash, size, mime)`.execute(tx)
}

async function placeFiles(tx: DbConn, workspaceId: string, placed: readonly PlacedFile[]): Promise<void> {
  await sql`
    UPDATE files f SET parent_id = place.parent_id, name = place.name, path = place.path, file_type = place.file_type,
      latest_version_id = place.latest_version_id, deleted_at = NULL, updated_at = now()
    FROM unnest(${placed.map(({ id }) => id)}::uuid[], ${placed.map(({ parentId }) => parentId)}::uuid[], ${placed.map(({ name }) => name)}::text[],
      ${placed.map(({ path }) => path)}::text[], ${placed.map(({ fileType }) => fileType)}::text[], ${placed.map(({ latestVersionId }) => latestVersionId)}::uuid[])
      AS place (id, parent_id, name, path, file_type, latest_version_id)
    WHERE f.workspace_id = ${workspaceId}::uuid AND f.id = place.id`.execute(tx)
}

