/**
 * Quotas: `workspaces.stored_bytes` is the sum of the sizes of its blobs that some version names or named (`counted`), kept in the transaction that stores
 * them; bytes that are stored ahead of their change are counted by that change. Tags of files. An index for what was removed together with a folder.
 */
import { type Kysely, sql } from 'kysely'

const STATEMENTS = [
  `ALTER TABLE workspaces ADD COLUMN stored_bytes bigint NOT NULL DEFAULT 0 CHECK (stored_bytes >= 0), ADD COLUMN quota_bytes bigint CHECK (quota_bytes >= 0)`,
  `ALTER TABLE blobs ADD COLUMN counted boolean NOT NULL DEFAULT false`,
  `UPDATE blobs b SET counted = true WHERE EXISTS (SELECT 1 FROM file_versions v WHERE v.workspace_id = b.workspace_id AND v.blob_hash = b.hash)`,
  `UPDATE workspaces w SET stored_bytes = (SELECT coalesce(sum(size), 0) FROM blobs b WHERE b.workspace_id = w.id AND b.counted)`,
  `CREATE TABLE file_tags (
    workspace_id uuid NOT NULL,
    file_id uuid NOT NULL,
    tag text COLLATE "C" NOT NULL,
    PRIMARY KEY (file_id, tag),
    FOREIGN KEY (workspace_id, file_id) REFERENCES files (workspace_id, id) ON DELETE CASCADE
  )`,
  `CREATE INDEX file_tags_tag ON file_tags (workspace_id, tag)`,
  `CREATE INDEX files_trashed_children ON files (workspace_id, parent_id) WHERE deleted_at IS NOT NULL`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}
