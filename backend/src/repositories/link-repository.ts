/** Links of Markdown files as they are written, and what is needed to find where they lead. Every query names the workspace. */
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'

export interface LinkRow {
  readonly kind: 'wiki' | 'embed' | 'link' | 'image' | 'url'
  readonly target: string
  readonly text: string
  readonly line: number
}

export interface NewLinkRow extends LinkRow {
  readonly fileId: string
  readonly index: number
  readonly targetPath: string | null
  readonly targetName: string | null
}

/** A link with the file that it stands in, where that is now. */
export interface PlacedLinkRow extends LinkRow {
  readonly source: string
  readonly targetName: string | null
}

/** Puts these links in the place of all that the files had. */
export async function replaceLinks(tx: DbConn, workspaceId: string, of: { readonly fileIds: readonly string[]; readonly links: readonly NewLinkRow[] }): Promise<void> {
  if (of.fileIds.length > 0) await sql`DELETE FROM file_links WHERE workspace_id = ${workspaceId}::uuid AND file_id = ANY(${of.fileIds}::uuid[])`.execute(tx)
  if (of.links.length === 0) return
  const column = <T>(pick: (link: NewLinkRow) => T): T[] => of.links.map(pick)
  await sql`
    INSERT INTO file_links (workspace_id, file_id, index, kind, target, text, line, target_path, target_name)
    SELECT ${workspaceId}::uuid, link.* FROM unnest(${column((link) => link.fileId)}::uuid[], ${column((link) => link.index)}::integer[], ${column((link) => link.kind)}::text[],
      ${column((link) => link.target)}::text[], ${column((link) => link.text)}::text[], ${column((link) => link.line)}::integer[],
      ${column((link) => link.targetPath)}::text[], ${column((link) => link.targetName)}::text[]) AS link`.execute(tx)
}

/** The links that stand in a file, in order. */
export async function linksOf(conn: DbConn, at: { readonly workspaceId: string; readonly fileId: string }): Promise<readonly LinkRow[]> {
  return await conn
    .selectFrom('file_links')
    .select(['kind', 'target', 'text', 'line'])
    .where('workspace_id', '=', at.workspaceId)
    .where('file_id', '=', at.fileId)
    .orderBy('index')
    .execute()
}

/** Links of active files that may lead to a file: they name its path (or its path without `.md`), or go by its name. */
export async function linksTowards(conn: DbConn, to: { readonly workspaceId: string; readonly paths: readonly string[]; readonly name: string }, limit: number): Promise<readonly PlacedLinkRow[]> {
  const { rows } = await sql<PlacedLinkRow>`
    SELECT l.kind, l.target, l.text, l.line, l.target_name AS "targetName", f.path AS source
    FROM (
      SELECT * FROM file_links WHERE workspace_id = ${to.workspaceId}::uuid AND target_path = ANY(${to.paths}::text[])
      UNION ALL
      SELECT * FROM file_links WHERE workspace_id = ${to.workspaceId}::uuid AND target_name = ${to.name}
    ) AS l
    JOIN files f ON f.workspace_id = l.workspace_id AND f.id = l.file_id AND f.deleted_at IS NULL
    ORDER BY f.path, l.index LIMIT ${limit}`.execute(conn)
  return rows
}

/** Paths of active files by the names that wiki links may call them. */
export async function pathsByName(conn: DbConn, workspaceId: string, names: readonly string[]): Promise<readonly { readonly name: string; readonly path: string }[]> {
  if (names.length === 0) return []
  const { rows } = await sql<{ name: string; path: string }>`
    SELECT t.name_key AS name, f.path FROM search_texts t JOIN files f ON f.workspace_id = t.workspace_id AND f.id = t.file_id AND f.deleted_at IS NULL
    WHERE t.workspace_id = ${workspaceId}::uuid AND t.name_key = ANY(${names}::text[]) ORDER BY f.path`.execute(conn)
  return rows
}
