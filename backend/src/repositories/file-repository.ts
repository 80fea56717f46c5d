/** Identity of files and folders: where they are and which version is theirs. Every query names the workspace; active rows only, unless it says otherwise. */
import type { FileType } from '@buildscale/protocol'
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import type { NewVersionRow, VersionRow } from './file-version-repository.ts'

/** A file or folder with its latest version; a folder has none. */
export interface FileRow {
  readonly id: string
  readonly parentId: string | null
  readonly name: string
  readonly path: string
  readonly fileType: FileType
  readonly updatedAt: Date
  readonly latest: VersionRow | null
}

export interface FilePlace {
  readonly workspaceId: string
  readonly path: string
}

/** A row of `FILE_COLUMNS`. */
export interface FileWithVersion {
  readonly id: string
  readonly parent_id: string | null
  readonly name: string
  readonly path: string
  readonly file_type: FileType
  readonly updated_at: Date
  readonly version_id: string | null
  readonly number: number | null
  readonly blob_hash: Buffer | null
  readonly size: number | null
  readonly mime: string | null
  readonly author_kind: VersionRow['author']['kind'] | null
  readonly author_id: string | null
  readonly turn_id: string | null
  readonly tool_call_id: string | null
  readonly created_at: Date | null
}

/** What `fileRow` needs, of `FILE_TABLES`. */
export const FILE_COLUMNS = sql`f.id, f.parent_id, f.name, f.path, f.file_type, f.updated_at, v.id AS version_id, v.number, v.blob_hash, v.size, v.mime,
  v.author_kind, v.author_id, v.turn_id, v.tool_call_id, v.created_at`
export const FILE_TABLES = sql`files f LEFT JOIN file_versions v ON v.workspace_id = f.workspace_id AND v.id = f.latest_version_id`
const FOLDERS_FIRST = sql`(f.file_type <> 'folder')`

/**
 * What exists at the given paths, in no order. One lookup per path, asked as a range in order: only the index of paths gives that order, so it is the one
 * that is used. As an equality, a server that has not counted the table yet may take any index that begins with the workspace and walk through all of it
 * (measured: 0.4 ms more at 1,000 files, and growing with them; the first minute of an import is such a time).
 */
export async function findFiles(conn: DbConn, workspaceId: string, paths: readonly string[]): Promise<FileRow[]> {
  const { rows } = await sql<FileWithVersion>`
    SELECT ${FILE_COLUMNS} FROM unnest(${paths}::text[]) AS wanted (path)
    CROSS JOIN LATERAL (
      SELECT * FROM files WHERE workspace_id = ${workspaceId}::uuid AND path >= wanted.path AND path <= wanted.path AND deleted_at IS NULL ORDER BY path LIMIT 1
    ) AS f
    LEFT JOIN file_versions v ON v.workspace_id = f.workspace_id AND v.id = f.latest_version_id`.execute(conn)
  return rows.map(fileRow)
}

export async function findFile(conn: DbConn, { workspaceId, path }: FilePlace): Promise<FileRow | undefined> {
  return (await findFiles(conn, workspaceId, [path]))[0]
}

/** The entries of a folder (`parentId` null: of the root), folders first, then by the bytes of their names. `after` is the last one of the page before. */
export async function listChildren(conn: DbConn, at: { readonly workspaceId: string; readonly parentId: string | null }, page: ChildrenPage): Promise<FileRow[]> {
  const parent = at.parentId === null ? sql`f.parent_id IS NULL` : sql`f.parent_id = ${at.parentId}::uuid`
  const after = page.after === undefined ? sql`TRUE` : sql`(${FOLDERS_FIRST}, f.name) > (${!page.after.isFolder}, ${page.after.name} COLLATE "C")`
  const { rows } = await sql<FileWithVersion>`
    SELECT ${FILE_COLUMNS} FROM ${FILE_TABLES} WHERE f.workspace_id = ${at.workspaceId}::uuid AND f.deleted_at IS NULL AND ${parent} AND ${after}
    ORDER BY ${FOLDERS_FIRST}, f.name LIMIT ${page.limit}`.execute(conn)
  return rows.map(fileRow)
}

export interface ChildrenPage {
  readonly limit: number
  readonly after?: { readonly isFolder: boolean; readonly name: string }
}

/**
 * Everything below a folder, depth first: a folder stands right before its content. The sort key replaces `/` by U+0001, below every letter that a
 * name can have, because byte order alone would put `/a-b` between `/a` and `/a/x`.
 */
export async function listBelow(conn: DbConn, { workspaceId, path }: FilePlace, page: { readonly limit: number; readonly after?: string }): Promise<FileRow[]> {
  const after = page.after === undefined ? sql`TRUE` : sql`translate(f.path, '/', E'\\x01') > translate(${page.after}, '/', E'\\x01') COLLATE "C"`
  // The inner order is for the choice of the index, as in `findFiles`.
  const { rows } = await sql<FileWithVersion>`
    SELECT ${FILE_COLUMNS}
    FROM (SELECT * FROM files f WHERE f.workspace_id = ${workspaceId}::uuid AND f.deleted_at IS NULL AND ${below(path)} AND ${after} ORDER BY f.path OFFSET 0) AS f
    LEFT JOIN file_versions v ON v.workspace_id = f.workspace_id AND v.id = f.latest_version_id
    ORDER BY translate(f.path, '/', E'\\x01') LIMIT ${page.limit}`.execute(conn)
  return rows.map(fileRow)
}

/**
 * Paths inside a folder as a range of bytes: from `/a/` to before `/a0`, `0` being the character after `/`. An index range, and nothing in a name
 * (`_`, `%`) can mean anything.
 */
function below(path: string) {
  return path === '/' ? sql`TRUE` : sql`f.path > ${`${path}/`} AND f.path < ${`${path}0`}`
}

export interface NewFolderRow {
  readonly id: string
  readonly parentId: string | null
  readonly name: string
  readonly path: string
}

/** Folders, parents before their children. */
export async function insertFolders(tx: DbConn, workspaceId: string, folders: readonly NewFolderRow[]): Promise<Date> {
  const { rows } = await sql<{ at: Date }>`WITH folders AS (${folderInsert(workspaceId, folders)}) SELECT now() AS at`.execute(tx)
  return onlyTime(rows)
}

/** The statement that inserts folders, parents before their children, as a part of a larger one. */
export function folderInsert(workspaceId: string, folders: readonly NewFolderRow[]) {
  return sql`INSERT INTO files (id, workspace_id, parent_id, name, path, file_type)
    SELECT folder.id, ${workspaceId}::uuid, folder.parent_id, folder.name, folder.path, 'folder'
    FROM unnest(${folders.map((folder) => folder.id)}::uuid[], ${folders.map((folder) => folder.parentId)}::uuid[],
      ${folders.map((folder) => folder.name)}::text[], ${folders.map((folder) => folder.path)}::text[]) AS folder (id, parent_id, name, path)`
}

/** One write, whole: bytes (null: stored already), missing folders above, the file or its new latest version, the version. */
export interface FileWrite {
  readonly workspaceId: string
  readonly folders: readonly NewFolderRow[]
  readonly file: { readonly id: string; readonly isNew: boolean; readonly parentId: string | null; readonly name: string; readonly path: string; readonly fileType: FileType }
  readonly version: NewVersionRow
  readonly inlineContent: Buffer | null
}

/** Stores a write in one round trip. Answers the transaction's time, which is the version's, and how many bytes the workspace holds now that no version named before. */
export async function storeWrite(tx: DbConn, write: FileWrite): Promise<{ readonly at: Date; readonly addedBytes: number }> {
  const { workspaceId, folders, file, version, inlineContent } = write
  const { author } = version
  const folderPart = folders.length === 0 ? sql`` : sql`folders AS (${folderInsert(workspaceId, folders)}),`
  const blobPart =
    inlineContent === null
      ? sql`UPDATE blobs SET counted = true WHERE workspace_id = ${workspaceId}::uuid AND hash = ${version.hash} AND NOT counted RETURNING size`
      : sql`INSERT INTO blobs (workspace_id, hash, size, content, counted) VALUES (${workspaceId}::uuid, ${version.hash}, ${version.size}, ${inlineContent}, true)
          ON CONFLICT (workspace_id, hash) DO UPDATE SET counted = true WHERE NOT blobs.counted RETURNING size`
  const filePart = file.isNew
    ? sql`INSERT INTO files (id, workspace_id, parent_id, name, path, file_type, latest_version_id)
        VALUES (${file.id}::uuid, ${workspaceId}::uuid, ${file.parentId}::uuid, ${file.name}, ${file.path}, ${file.fileType}, ${version.id}::uuid)`
    : sql`UPDATE files SET latest_version_id = ${version.id}::uuid, file_type = ${file.fileType}, updated_at = now() WHERE workspace_id = ${workspaceId}::uuid AND id = ${file.id}::uuid`
  const { rows } = await sql<{ at: Date; addedBytes: number }>`
    WITH blob AS (${blobPart}), ${folderPart} file AS (${filePart})
    INSERT INTO file_versions (id, workspace_id, file_id, number, blob_hash, size, mime, author_kind, author_id, turn_id, tool_call_id)
    VALUES (${version.id}::uuid, ${workspaceId}::uuid, ${file.id}::uuid, ${version.number}, ${version.hash}, ${version.size}, ${version.mime},
      ${author.kind}, ${author.id}::uuid, ${author.turnId}::uuid, ${author.toolCallId}::uuid)
    RETURNING created_at AS at, (SELECT coalesce(sum(size), 0)::bigint FROM blob) AS "addedBytes"`.execute(tx)
  return only(rows)
}

export interface FileMove {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly parentId: string | null
  readonly name: string
}

/** Gives a file, and all below it when it is a folder, their new paths. */
export async function rebaseFiles(tx: DbConn, workspaceId: string, move: FileMove): Promise<Date> {
  const { rows } = await sql<{ at: Date }>`
    WITH children AS (
      UPDATE files f SET path = ${move.to} || substr(f.path, char_length(${move.from}) + 1), updated_at = now()
      WHERE f.workspace_id = ${workspaceId}::uuid AND f.deleted_at IS NULL AND ${below(move.from)}
    )
    UPDATE files SET parent_id = ${move.parentId}::uuid, name = ${move.name}, path = ${move.to}, updated_at = now()
    WHERE workspace_id = ${workspaceId}::uuid AND id = ${move.id}::uuid RETURNING updated_at AS at`.execute(tx)
  return onlyTime(rows)
}

/** A copy of a file or folder; `version` is what the original has now, under an id of its own. */
export interface FileCopyRow extends NewFolderRow {
  readonly fileType: FileType
  readonly version: Pick<NewVersionRow, 'id' | 'hash' | 'size' | 'mime'> | null
}

/** Stores copies, parents before their children, each file with its version 1, in one round trip. Their bytes are stored already. */
export async function insertCopies(tx: DbConn, { workspaceId, author }: { readonly workspaceId: string; readonly author: NewVersionRow['author'] }, copies: readonly FileCopyRow[]): Promise<void> {
  const column = <T>(pick: (copy: FileCopyRow) => T): T[] => copies.map(pick)
  await sql`
    WITH copy AS (
      SELECT * FROM unnest(
        ${column(({ id }) => id)}::uuid[], ${column(({ parentId }) => parentId)}::uuid[], ${column(({ name }) => name)}::text[], ${column(({ path }) => path)}::text[],
        ${column(({ fileType }) => fileType)}::text[], ${column(({ version }) => version?.id ?? null)}::uuid[], ${column(({ version }) => version?.hash ?? null)}::bytea[],
        ${column(({ version }) => version?.size ?? null)}::bigint[], ${column(({ version }) => version?.mime ?? null)}::text[]
      ) AS copy (id, parent_id, name, path, file_type, version_id, hash, size, mime)
    ), stored AS (
      INSERT INTO files (id, workspace_id, parent_id, name, path, file_type, latest_version_id)
      SELECT id, ${workspaceId}::uuid, parent_id, name, path, file_type, version_id FROM copy
    )
    INSERT INTO file_versions (id, workspace_id, file_id, number, blob_hash, size, mime, author_kind, author_id, turn_id, tool_call_id)
    SELECT version_id, ${workspaceId}::uuid, id, 1, hash, size, mime, ${author.kind}, ${author.id}::uuid, ${author.turnId}::uuid, ${author.toolCallId}::uuid
    FROM copy WHERE version_id IS NOT NULL`.execute(tx)
}

/** Moves files to the trash. They get one time, of this moment and not of the transaction: that is what tells later which files went together. */
export async function trashFiles(tx: DbConn, workspaceId: string, ids: readonly string[]): Promise<void> {
  await sql`UPDATE files SET deleted_at = (SELECT clock_timestamp()) WHERE workspace_id = ${workspaceId}::uuid AND id = ANY(${ids}::uuid[]) AND deleted_at IS NULL`.execute(tx)
}

/** Marks a file as changed now, without a version. */
export async function touchRow(tx: DbConn, workspaceId: string, id: string): Promise<Date> {
  const { rows } = await sql<{ at: Date }>`UPDATE files SET updated_at = now() WHERE workspace_id = ${workspaceId}::uuid AND id = ${id}::uuid RETURNING updated_at AS at`.execute(tx)
  return onlyTime(rows)
}

/** When the workspace was made: the root folder's time. Undefined when it does not exist. */
export async function rootTime(conn: DbConn, workspaceId: string): Promise<Date | undefined> {
  const row = await conn.selectFrom('workspaces').select('created_at').where('id', '=', workspaceId).where('deleted_at', 'is', null).executeTakeFirst()
  return row?.created_at
}

/** What the disk should hold for one path. */
export interface TreeEntry {
  readonly id: string
  readonly path: string
  readonly isFolder: boolean
  readonly hash: Buffer | null
  readonly size: number | null
  readonly createdAt: Date | null
}

/** So many rows are read at once that taking them in does not hold up the server. */
const TREE_PAGE = 1_000

/** The whole tree, parents before children. Only in a repeatable-read transaction, together with the change seq, is it the tree of one moment. */
export async function readTree(conn: DbConn, workspaceId: string): Promise<TreeEntry[]> {
  const tree: TreeEntry[] = []
  for (;;) {
    const after = tree.at(-1)?.path ?? ''
    const { rows } = await sql<TreeEntry>`
      SELECT f.id, f.path, f.file_type = 'folder' AS "isFolder", v.blob_hash AS hash, v.size, v.created_at AS "createdAt" FROM ${FILE_TABLES}
      WHERE f.workspace_id = ${workspaceId}::uuid AND f.deleted_at IS NULL AND f.path > ${after} ORDER BY f.path LIMIT ${TREE_PAGE}`.execute(conn)
    for (const row of rows) tree.push(row)
    if (rows.length < TREE_PAGE) return tree
  }
}

/** What is at a path and everything below it, parents before children; a folder has the time of its last change. */
export async function readTreeBelow(conn: DbConn, { workspaceId, path }: FilePlace): Promise<TreeEntry[]> {
  // The range holds names like `/a-b` beside `/a` and `/a/b`, which the second condition leaves out.
  const within = path === '/' ? sql`TRUE` : sql`f.path >= ${path} AND f.path < ${`${path}0`} AND (f.path = ${path} OR f.path > ${`${path}/`})`
  const { rows } = await sql<TreeEntry>`
    SELECT f.id, f.path, f.file_type = 'folder' AS "isFolder", v.blob_hash AS hash, v.size, coalesce(v.created_at, f.updated_at) AS "createdAt" FROM ${FILE_TABLES}
    WHERE f.workspace_id = ${workspaceId}::uuid AND f.deleted_at IS NULL AND ${within} ORDER BY f.path`.execute(conn)
  return rows
}

function onlyTime(rows: readonly { readonly at: Date }[]): Date {
  return only(rows).at
}

function only<Row>(rows: readonly Row[]): Row {
  const row = rows[0]
  if (row === undefined) throw new Error('a file vanished while its workspace was locked')
  return row
}

export function fileRow(row: FileWithVersion): FileRow {
  return { id: row.id, parentId: row.parent_id, name: row.name, path: row.path, fileType: row.file_type, updatedAt: row.updated_at, latest: latestVersion(row) }
}

function latestVersion(row: FileWithVersion): VersionRow | null {
  const { version_id: id, number, blob_hash: hash, size, mime, author_kind: kind, created_at: createdAt } = row
  if (id === null || number === null || hash === null || size === null || mime === null || kind === null || createdAt === null) return null
  return { id, number, hash, size, mime, author: { kind, id: row.author_id, turnId: row.turn_id, toolCallId: row.tool_call_id }, createdAt }
}

/** Where a file with this id is now; undefined when it is in the trash or not in this workspace. */
export async function findPathOfId(conn: DbConn, of: { readonly workspaceId: string; readonly fileId: string }): Promise<string | undefined> {
  const row = await conn.selectFrom('files').select('path').where('workspace_id', '=', of.workspaceId).where('id', '=', of.fileId).where('deleted_at', 'is', null).executeTakeFirst()
  return row?.path
}
