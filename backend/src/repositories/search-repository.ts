/** The full-text index and how far each index has followed the journal. Derived data; every query names the workspace. */
import type { FileType } from '@buildscale/protocol'
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'

export type IndexName = 'text' | 'semantic'

export interface IndexProgress {
  /** What the index has taken in. */
  readonly seq: number
  /** What the journal has come to. */
  readonly changeSeq: number
}

/** How far an index of a workspace is; undefined when the workspace does not exist (any more). */
export async function readProgress(conn: DbConn, workspaceId: string, index: IndexName): Promise<IndexProgress | undefined> {
  const { rows } = await sql<{ seq: number; change_seq: number }>`
    SELECT coalesce(p.seq, 0) AS seq, w.change_seq FROM workspaces w
    LEFT JOIN search_progress p ON p.workspace_id = w.id AND p.index_name = ${index}
    WHERE w.id = ${workspaceId}::uuid AND w.deleted_at IS NULL`.execute(conn)
  const row = rows[0]
  return row === undefined ? undefined : { seq: row.seq, changeSeq: row.change_seq }
}

/** Workspaces of which the index has not taken in everything, or that are gone and still take room. */
export async function workspacesBehind(conn: DbConn, index: IndexName): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT w.id FROM workspaces w LEFT JOIN search_progress p ON p.workspace_id = w.id AND p.index_name = ${index}
    WHERE CASE WHEN w.deleted_at IS NULL THEN w.change_seq > coalesce(p.seq, 0) ELSE p.seq IS NOT NULL END`.execute(conn)
  return rows.map((row) => row.id)
}

/** Moves the index on from one seq to another. False when another process has moved it meanwhile: what was prepared for it is void. */
export async function moveProgress(tx: DbConn, of: { readonly workspaceId: string; readonly index: IndexName }, move: { readonly from: number; readonly to: number }): Promise<boolean> {
  const { workspaceId, index } = of
  const { numAffectedRows } = await sql`
    INSERT INTO search_progress (workspace_id, index_name, seq) SELECT ${workspaceId}::uuid, ${index}, ${move.to}
    WHERE ${move.from}::bigint = 0 OR EXISTS (SELECT 1 FROM search_progress WHERE workspace_id = ${workspaceId}::uuid AND index_name = ${index})
    ON CONFLICT (workspace_id, index_name) DO UPDATE SET seq = excluded.seq, updated_at = now() WHERE search_progress.seq = ${move.from}::bigint`.execute(tx)
  return numAffectedRows === 1n
}

/** A file that changed, as it is now. */
export interface ChangedFileRow {
  readonly id: string
  readonly path: string
  readonly hash: Buffer
  readonly size: number
  readonly mime: string
}

export interface JournalWindow {
  /** Up to here the window goes. */
  readonly seq: number
  /** Every file that changed in it, once. */
  readonly fileIds: readonly string[]
}

/** The next changes of files (folders hold no text); undefined when there are none. */
export async function readWindow(conn: DbConn, workspaceId: string, page: { readonly after: number; readonly limit: number }): Promise<JournalWindow | undefined> {
  const { rows } = await sql<{ seq: number; file_id: string; file_type: FileType }>`
    SELECT seq, file_id, file_type FROM changes WHERE workspace_id = ${workspaceId}::uuid AND seq > ${page.after} ORDER BY seq LIMIT ${page.limit}`.execute(conn)
  const last = rows.at(-1)
  if (last === undefined) return undefined
  return { seq: last.seq, fileIds: [...new Set(rows.filter((row) => row.file_type !== 'folder').map((row) => row.file_id))] }
}

/** Those of `fileIds` that are active files. */
export async function readChangedFiles(conn: DbConn, workspaceId: string, fileIds: readonly string[]): Promise<readonly ChangedFileRow[]> {
  const { rows } = await sql<ChangedFileRow>`
    SELECT f.id, f.path, v.blob_hash AS hash, v.size, v.mime FROM files f
    JOIN file_versions v ON v.workspace_id = f.workspace_id AND v.id = f.latest_version_id
    WHERE f.workspace_id = ${workspaceId}::uuid AND f.id = ANY(${fileIds}::uuid[]) AND f.deleted_at IS NULL`.execute(conn)
  return rows
}

/** Which of these files the index knows with these very bytes at this very path. */
export async function indexedAlready(conn: DbConn, workspaceId: string, files: readonly ChangedFileRow[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ file_id: string }>`
    SELECT t.file_id FROM unnest(${files.map((file) => file.id)}::uuid[], ${files.map((file) => file.hash)}::bytea[], ${files.map((file) => file.path)}::text[]) AS wanted (id, hash, path)
    JOIN search_texts t ON t.workspace_id = ${workspaceId}::uuid AND t.file_id = wanted.id AND t.hash = wanted.hash AND t.path = wanted.path COLLATE "C"`.execute(conn)
  return new Set(rows.map((row) => row.file_id))
}

export interface IndexedTextRow {
  readonly fileId: string
  readonly hash: Buffer
  readonly path: string
  readonly nameKey: string
  readonly coverage: 'whole' | 'beginning' | 'name'
  readonly problem: 'binary' | 'encoding' | 'failed' | null
  /** The text form of a `tsvector`. */
  readonly words: string
}

export async function storeTexts(tx: DbConn, workspaceId: string, texts: readonly IndexedTextRow[]): Promise<void> {
  if (texts.length === 0) return
  const column = <T>(pick: (text: IndexedTextRow) => T): T[] => texts.map(pick)
  await sql`
    INSERT INTO search_texts (workspace_id, file_id, hash, path, name_key, coverage, problem, words)
    SELECT ${workspaceId}::uuid, id, hash, path, name_key, coverage, problem, words::tsvector
    FROM unnest(${column((text) => text.fileId)}::uuid[], ${column((text) => text.hash)}::bytea[], ${column((text) => text.path)}::text[],
      ${column((text) => text.nameKey)}::text[], ${column((text) => text.coverage)}::text[], ${column((text) => text.problem)}::text[],
      ${column((text) => text.words)}::text[]) AS text (id, hash, path, name_key, coverage, problem, words)
    ON CONFLICT (workspace_id, file_id) DO UPDATE SET hash = excluded.hash, path = excluded.path, name_key = excluded.name_key,
      coverage = excluded.coverage, problem = excluded.problem, words = excluded.words`.execute(tx)
}

export async function removeTexts(tx: DbConn, workspaceId: string, fileIds: readonly string[]): Promise<void> {
  if (fileIds.length === 0) return
  await sql`DELETE FROM search_texts WHERE workspace_id = ${workspaceId}::uuid AND file_id = ANY(${fileIds}::uuid[])`.execute(tx)
}

/** Forgets a workspace that is gone: all that an index keeps of it, and how far it was. */
export async function forgetWorkspace(tx: DbConn, workspaceId: string, index: IndexName): Promise<void> {
  if (index === 'text') {
    await sql`DELETE FROM search_texts WHERE workspace_id = ${workspaceId}::uuid`.execute(tx)
    await sql`DELETE FROM file_links WHERE workspace_id = ${workspaceId}::uuid`.execute(tx)
  }
  await sql`DELETE FROM search_progress WHERE workspace_id = ${workspaceId}::uuid AND index_name = ${index}`.execute(tx)
}

export interface TextQuery {
  readonly workspaceId: string
  /** In the text form of a `tsquery`: what is found, and what ranks higher among it. */
  readonly find: string
  readonly prefer: string
  /** A folder, or a file; `/` is everywhere. */
  readonly folder: string
  readonly limit: number
}

/** A file that has the words, as it is now. */
export interface TextHitRow {
  readonly fileId: string
  readonly path: string
  readonly hash: Buffer
  readonly size: number
  readonly score: number
  /** False: the file was written again since, so that the index may be wrong about it. */
  readonly isCurrent: boolean
  /** False: only the name could be taken in. */
  readonly hasText: boolean
}

/** The word that stands for a workspace in `words`: with a character that no word of a text has. */
export function scopeWord(workspaceId: string): string {
  return `@${workspaceId}`
}

/** Weights of ts_rank: D text, C folders, B headings, A the file's name. */
const WEIGHTS = sql.lit('{0.1, 0.2, 0.6, 1.0}')
const HIT_COLUMNS = sql`f.id AS "fileId", f.path, v.blob_hash AS hash, v.size, v.blob_hash = t.hash AND f.path = t.path AS "isCurrent", t.coverage <> 'name' AS "hasText"`
/** Only what is there now: a file that went to the trash a moment ago is not found, whatever the index still says. */
const HIT_TABLES = sql`search_texts t
  JOIN files f ON f.workspace_id = t.workspace_id AND f.id = t.file_id AND f.deleted_at IS NULL
  JOIN file_versions v ON v.workspace_id = f.workspace_id AND v.id = f.latest_version_id`

/**
 * Runs what asks the index of words. The planner believes that comparing a row costs nothing and would rather read a whole table of some thousand rows,
 * although each has a vector of kilobytes that is stored elsewhere (measured at 3,000 files: 62 ms instead of 0.1).
 */
export function askingWords<T>(conn: DbConn, ask: (tx: DbConn) => Promise<T>): Promise<T> {
  return conn.transaction().execute(async (tx) => {
    await sql`SET LOCAL enable_seqscan TO off`.execute(tx)
    return ask(tx)
  })
}

/** Active files that have the words, best first. Long texts do not win by length alone. */
export async function findTexts(conn: DbConn, query: TextQuery): Promise<readonly TextHitRow[]> {
  const { rows } = await sql<TextHitRow>`
    SELECT ${HIT_COLUMNS}, ts_rank(${WEIGHTS}, t.words, ${query.find}::tsquery, 1) + ts_rank(${WEIGHTS}, t.words, ${query.prefer}::tsquery, 1) AS score
    FROM ${HIT_TABLES} WHERE ${matches(query, query.find)} ORDER BY score DESC, f.path LIMIT ${query.limit}`.execute(conn)
  return rows
}

/** In how many files of the workspace each word is, and how many files there are. */
export async function countWords(conn: DbConn, workspaceId: string, words: readonly string[]): Promise<{ readonly files: number; readonly counts: readonly number[] }> {
  const { rows } = await sql<{ files: number; counts: number[] }>`
    SELECT (SELECT count(*)::int FROM search_texts WHERE workspace_id = ${workspaceId}::uuid) AS files,
      array(SELECT (SELECT count(*)::int FROM search_texts t WHERE t.workspace_id = ${workspaceId}::uuid AND t.words @@ (${scoped(workspaceId, '')} || wanted.word)::tsquery)
        FROM unnest(${words}::text[]) WITH ORDINALITY AS wanted (word, number) ORDER BY number) AS counts`.execute(conn)
  return rows[0] ?? { files: 0, counts: words.map(() => 0) }
}

export interface WeightedWord {
  readonly word: string
  readonly weight: number
}

/** Active files that have some of the words, those with the weightiest ones first; nothing below `least`. */
export async function findTextsWithSome(conn: DbConn, query: Omit<TextQuery, 'prefer'>, some: { readonly words: readonly WeightedWord[]; readonly least: number }): Promise<readonly TextHitRow[]> {
  const { words, least } = some
  const { rows } = await sql<TextHitRow>`
    SELECT * FROM (
      SELECT ${HIT_COLUMNS}, (SELECT coalesce(sum(wanted.weight), 0) FROM unnest(${words.map(({ word }) => word)}::text[], ${words.map(({ weight }) => weight)}::float8[]) AS wanted (word, weight)
        WHERE t.words @@ wanted.word::tsquery) + ts_rank(${WEIGHTS}, t.words, ${query.find}::tsquery, 1) / 10 AS score
      FROM ${HIT_TABLES} WHERE ${matches(query, query.find)}
    ) AS hit WHERE score >= ${least} ORDER BY score DESC, path LIMIT ${query.limit}`.execute(conn)
  return rows
}

function matches({ workspaceId, folder }: Pick<TextQuery, 'workspaceId' | 'folder'>, find: string) {
  const place = folder === '/' ? sql`TRUE` : sql`(f.path = ${folder} OR f.path > ${`${folder}/`} AND f.path < ${`${folder}0`})`
  return sql`t.workspace_id = ${workspaceId}::uuid AND t.words @@ ${scoped(workspaceId, `(${find})`)}::tsquery AND ${place}`
}

/** The index serves all workspaces: with the workspace's own word first, a question reads only what is in both lists. */
function scoped(workspaceId: string, find: string): string {
  return `'${scopeWord(workspaceId)}' & ${find}`
}
