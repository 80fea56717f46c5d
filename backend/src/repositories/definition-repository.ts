/** The files under `/system` that define agents and skills, and the snapshots of definitions that turns began with. */
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import type { TurnFence } from './chat-event-repository.ts'

export interface DefinitionFileRow {
  readonly path: string
  readonly version: number
  readonly hash: Buffer
  readonly size: number
  /** How many folders there are in all, those over the limit included. */
  readonly folders: number
}

/** `name` is in lower case and means any case of it: who wrote it wrong is told so. */
export interface DefinitionFilesPlace {
  readonly folder: string
  readonly name: string
  /** Folders that are looked into, by name. */
  readonly limit: number
}

/** The files of a name one folder below `folder`, by path. Folder by folder, so that whatever else lies in them, at any depth, costs nothing. */
export async function listDefinitionFiles(conn: DbConn, workspaceId: string, { folder, name, limit }: DefinitionFilesPlace): Promise<DefinitionFileRow[]> {
  const { rows } = await sql<DefinitionFileRow>`
    SELECT f.path, v.number AS version, v.blob_hash AS hash, v.size, own.folders FROM (
      SELECT own.id, count(*) OVER () AS folders FROM files root JOIN files own ON own.workspace_id = root.workspace_id AND own.parent_id = root.id AND own.deleted_at IS NULL
      WHERE root.workspace_id = ${workspaceId}::uuid AND root.path >= ${folder} AND root.path <= ${folder} AND root.deleted_at IS NULL ORDER BY own.name LIMIT ${limit}
    ) AS own
    JOIN files f ON f.workspace_id = ${workspaceId}::uuid AND f.parent_id = own.id AND f.deleted_at IS NULL AND lower(f.name) = ${name}
    JOIN file_versions v ON v.workspace_id = f.workspace_id AND v.id = f.latest_version_id
    ORDER BY f.path`.execute(conn)
  return rows
}

/** The first bytes of some blobs, in one round trip; the caller bounds how many. Of a large blob at most its first chunk. */
export async function readBlobHeads(conn: DbConn, workspaceId: string, { hashes, bytes }: { readonly hashes: readonly Buffer[]; readonly bytes: number }): Promise<ReadonlyMap<string, Buffer>> {
  if (hashes.length === 0) return new Map()
  const { rows } = await sql<{ hash: Buffer; head: Buffer }>`
    SELECT b.hash, substring(coalesce(b.content, c.data) FROM 1 FOR ${bytes}::int) AS head FROM blobs b
    LEFT JOIN blob_chunks c ON c.workspace_id = b.workspace_id AND c.hash = b.hash AND c.index = 0
    WHERE b.workspace_id = ${workspaceId}::uuid AND b.hash = ANY(${hashes}::bytea[])`.execute(conn)
  return new Map(rows.map((row) => [row.hash.toString('hex'), row.head]))
}

/** The snapshot that a turn began with, as JSON; undefined before it began. */
export async function findTurnSnapshot(conn: DbConn, of: { readonly workspaceId: string; readonly turnId: string }): Promise<string | undefined> {
  const row = await conn
    .selectFrom('turns')
    .innerJoin('agent_snapshots', (join) => join.onRef('agent_snapshots.workspace_id', '=', 'turns.workspace_id').onRef('agent_snapshots.hash', '=', 'turns.agent_snapshot'))
    .select('agent_snapshots.data')
    .where('turns.workspace_id', '=', of.workspaceId)
    .where('turns.id', '=', of.turnId)
    .executeTakeFirst()
  return row?.data
}

export interface TurnSnapshot {
  readonly workspaceId: string
  /** SHA-256 of `data`: turns with the same definitions share one row. */
  readonly hash: Buffer
  readonly data: string
  readonly model: string
}

/** Stores what a running turn begins with, in one statement; a chat whose model nobody chose shows that of its agent. False when the turn no longer runs under this claim. */
export async function recordTurnSnapshot(conn: DbConn, fence: TurnFence, snapshot: TurnSnapshot): Promise<boolean> {
  const { workspaceId, hash, data, model } = snapshot
  const { rows } = await sql`
    WITH stored AS (INSERT INTO agent_snapshots (workspace_id, hash, data) VALUES (${workspaceId}::uuid, ${hash}, ${data}) ON CONFLICT DO NOTHING),
    turn AS (
      UPDATE turns SET agent_snapshot = ${hash}, model = ${model}
      WHERE workspace_id = ${workspaceId}::uuid AND id = ${fence.turnId}::uuid AND lease_epoch = ${fence.epoch} AND status = 'running' RETURNING id, chat_id
    ),
    chat AS (UPDATE chats SET model = ${model} FROM turn WHERE chats.workspace_id = ${workspaceId}::uuid AND chats.id = turn.chat_id AND NOT is_model_chosen AND model <> ${model})
    SELECT id FROM turn`.execute(conn)
  return rows.length > 0
}
