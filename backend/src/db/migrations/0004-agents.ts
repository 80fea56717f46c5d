import { type Kysely, sql } from 'kysely'

/** What a turn began with: the definitions of its agent and skills. And whether a person chose a chat's model, or its agent does. */
const STATEMENTS = [
  // By the hash of its content, because nearly all turns of a workspace share one.
  `CREATE TABLE agent_snapshots (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    hash bytea NOT NULL,
    data text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, hash)
  )`,
  // Null until the turn starts, and for turns of before.
  `ALTER TABLE turns ADD COLUMN agent_snapshot bytea,
    ADD FOREIGN KEY (workspace_id, agent_snapshot) REFERENCES agent_snapshots (workspace_id, hash)`,
  // Chats of before keep the model that they have.
  `ALTER TABLE chats ADD COLUMN is_model_chosen boolean NOT NULL DEFAULT true`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}
