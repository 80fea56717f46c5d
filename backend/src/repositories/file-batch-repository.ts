/** Many writes in one round trip. */
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import { type FileWrite, folderInsert, type NewFolderRow } from './file-repository.ts'
import type { VersionAuthor } from './file-version-repository.ts'

/** What `FileWrite` is to one file, for many; no path twice. */
export interface FileBatch {
  readonly workspaceId: string
  readonly author: VersionAuthor
  /** Parents before their children. */
  readonly folders: readonly NewFolderRow[]
  /** `inlineContent` null: stored already. */
  readonly files: readonly Pick<FileWrite, 'file' | 'version' | 'inlineContent'>[]
}

type BatchedFile = FileBatch['files'][number]

/** Stores a batch. Answers the transaction's time, which is the versions', and how many bytes the workspace holds now that no version named before. */
export async function storeWrites(tx: DbConn, { workspaceId, author, folders, files }: FileBatch): Promise<{ readonly at: Date; readonly addedBytes: number }> {
  const fresh = files.filter(({ file }) => file.isNew)
  const known = files.filter(({ file }) => !file.isNew)
  const stored = files.flatMap(({ version, inlineContent }) => (inlineContent === null ? [version.hash] : []))
  const { rows } = await sql<{ at: Date; addedBytes: number }>`
    WITH small AS (${blobInsert(workspaceId, files)}),
    large AS (UPDATE blobs SET counted = true WHERE workspace_id = ${workspaceId}::uuid AND hash = ANY(${stored}::bytea[]) AND NOT counted RETURNING size),
    folders AS (${folderInsert(workspaceId, folders)}),
    fresh AS (${fileInsert(workspaceId, fresh)}),
    known AS (
      UPDATE files SET latest_version_id = write.version_id, updated_at = now()
      FROM unnest(${known.map(({ file }) => file.id)}::uuid[], ${known.map(({ version }) => version.id)}::uuid[]) AS write (file_id, version_id)
      WHERE files.workspace_id = ${workspaceId}::uuid AND files.id = write.file_id
    ),
    versions AS (${versionInsert({ workspaceId, author }, files)})
    SELECT now() AS at, ((SELECT coalesce(sum(size), 0) FROM small) + (SELECT coalesce(sum(size), 0) FROM large))::bigint AS "addedBytes"`.execute(tx)
  const [row] = rows
  if (row === undefined) throw new Error('the database did not answer a batch of files')
  return row
}

/** All bytes travel as one value, out of which the server cuts each blob: as an array of values they would be written out as text, twice their size. */
function blobInsert(workspaceId: string, files: readonly BatchedFile[]) {
  const contents = new Map(files.flatMap(({ version, inlineContent }) => (inlineContent === null ? [] : [[version.hash.toString('hex'), { hash: version.hash, bytes: inlineContent }]])))
  const blobs = [...contents.values()]
  let end = 0
  const starts = blobs.map(({ bytes }) => (end += bytes.length) - bytes.length + 1)
  return sql`INSERT INTO blobs (workspace_id, hash, size, content, counted)
    SELECT ${workspaceId}::uuid, blob.hash, blob.size, substring(${Buffer.concat(blobs.map(({ bytes }) => bytes))}::bytea FROM blob.start FOR blob.size), true
    FROM unnest(${blobs.map(({ hash }) => hash)}::bytea[], ${blobs.map(({ bytes }) => bytes.length)}::int[], ${starts}::int[]) AS blob (hash, size, start)
    ON CONFLICT (workspace_id, hash) DO UPDATE SET counted = true WHERE NOT blobs.counted RETURNING size`
}

function fileInsert(workspaceId: string, files: readonly BatchedFile[]) {
  const column = <T>(pick: (file: BatchedFile['file']) => T): T[] => files.map(({ file }) => pick(file))
  return sql`INSERT INTO files (id, workspace_id, parent_id, name, path, file_type, latest_version_id)
    SELECT file.id, ${workspaceId}::uuid, file.parent_id, file.name, file.path, file.file_type, file.version_id
    FROM unnest(${column((file) => file.id)}::uuid[], ${column((file) => file.parentId)}::uuid[], ${column((file) => file.name)}::text[], ${column((file) => file.path)}::text[],
      ${column((file) => file.fileType)}::text[], ${files.map(({ version }) => version.id)}::uuid[]) AS file (id, parent_id, name, path, file_type, version_id)`
}

function versionInsert({ workspaceId, author }: Pick<FileBatch, 'workspaceId' | 'author'>, files: readonly BatchedFile[]) {
  const column = <T>(pick: (version: BatchedFile['version']) => T): T[] => files.map(({ version }) => pick(version))
  return sql`INSERT INTO file_versions (id, workspace_id, file_id, number, blob_hash, size, mime, author_kind, author_id, turn_id, tool_call_id)
    SELECT version.id, ${workspaceId}::uuid, version.file_id, version.number, version.hash, version.size, version.mime,
      ${author.kind}, ${author.id}::uuid, ${author.turnId}::uuid, ${author.toolCallId}::uuid
    FROM unnest(${column((version) => version.id)}::uuid[], ${files.map(({ file }) => file.id)}::uuid[], ${column((version) => version.number)}::int[],
      ${column((version) => version.hash)}::bytea[], ${column((version) => version.size)}::bigint[], ${column((version) => version.mime)}::text[]) AS version (id, file_id, number, hash, size, mime)`
}
