/**
 * What the search keeps of each workspace. All of it is derived: it follows the journal up to `search_progress.seq` and can be thrown away and made again.
 */
import { type Kysely, sql } from 'kysely'

const STATEMENTS = [
  // How far each index has come in the journal of a workspace; committed together with what it stored.
  `CREATE TABLE search_progress (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    index_name text NOT NULL CHECK (index_name IN ('text', 'semantic')),
    seq bigint NOT NULL DEFAULT 0 CHECK (seq >= 0),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, index_name)
  )`,
  // One row per file. The column words begins with a word for the workspace, so that one index serves all of them and each question reads only its own.
  `CREATE TABLE search_texts (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    file_id uuid NOT NULL,
    hash bytea NOT NULL,
    path text COLLATE "C" NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    coverage text NOT NULL CHECK (coverage IN ('whole', 'beginning', 'name')),
    problem text CHECK (problem IN ('binary', 'encoding', 'failed')),
    words tsvector NOT NULL,
    PRIMARY KEY (workspace_id, file_id)
  )`,
  // New rows wait in a list that each question reads from end to end, and for which the planner shuns the index: a short one.
  `CREATE INDEX search_texts_words ON search_texts USING gin (words) WITH (gin_pending_list_limit = 128)`,
  `CREATE INDEX search_texts_name ON search_texts (workspace_id, name_key)`,
  // Links as they are written. Where one leads is decided when somebody asks; the keys find those that may lead to a file.
  `CREATE TABLE file_links (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    file_id uuid NOT NULL,
    index integer NOT NULL CHECK (index >= 0),
    kind text NOT NULL CHECK (kind IN ('wiki', 'embed', 'link', 'image', 'url')),
    target text NOT NULL,
    text text NOT NULL,
    line integer NOT NULL CHECK (line >= 1),
    target_path text COLLATE "C",
    target_name text COLLATE "C",
    PRIMARY KEY (workspace_id, file_id, index)
  )`,
  `CREATE INDEX file_links_path ON file_links (workspace_id, target_path) WHERE target_path IS NOT NULL`,
  `CREATE INDEX file_links_name ON file_links (workspace_id, target_name) WHERE target_name IS NOT NULL`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}
