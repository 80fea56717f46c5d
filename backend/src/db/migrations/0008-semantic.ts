/**
 * What the search by meaning keeps. A *chunk* is a text that is embedded, once per workspace however many files hold it; a *passage* is the place of a chunk in
 * a file; a *vector* is what one embedder made of a chunk (null: the embedder refuses that text). Everything here can be made again from the files.
 */
import { type Kysely, sql } from 'kysely'

const STATEMENTS = [
  // `chunk_seq` counts the times that passages were added, so that "nothing is left to embed" can be noted without a race.
  `CREATE TABLE semantic_workspaces (
    workspace_id uuid PRIMARY KEY REFERENCES workspaces ON DELETE CASCADE,
    chunk_seq bigint NOT NULL DEFAULT 0
  )`,
  // Which bytes of a file were cut into passages, and by which version of the rules.
  `CREATE TABLE semantic_files (
    workspace_id uuid NOT NULL,
    file_id uuid NOT NULL,
    content_hash bytea NOT NULL,
    rules integer NOT NULL,
    PRIMARY KEY (workspace_id, file_id),
    FOREIGN KEY (workspace_id, file_id) REFERENCES files (workspace_id, id) ON DELETE CASCADE
  )`,
  // `used_at`: when a file last named the chunk or stopped to; a chunk that no passage names is kept for a day after that.
  `CREATE TABLE semantic_chunks (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    context text NOT NULL,
    body text NOT NULL,
    used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, hash)
  )`,
  `CREATE TABLE semantic_passages (
    workspace_id uuid NOT NULL,
    file_id uuid NOT NULL,
    index integer NOT NULL CHECK (index >= 0),
    chunk_hash bytea NOT NULL,
    start_line integer NOT NULL CHECK (start_line >= 1),
    end_line integer NOT NULL CHECK (end_line >= start_line),
    heading text,
    PRIMARY KEY (workspace_id, file_id, index),
    FOREIGN KEY (workspace_id, file_id) REFERENCES semantic_files ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, chunk_hash) REFERENCES semantic_chunks
  )`,
  `CREATE INDEX semantic_passages_chunk ON semantic_passages (workspace_id, chunk_hash)`,
  // One row per workspace and embedder. `vector_seq` numbers the vectors in commit order, so that every node can follow them; `generation` changes when some were removed.
  `CREATE TABLE semantic_progress (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    embedder text NOT NULL,
    done_seq bigint NOT NULL DEFAULT 0,
    vector_seq bigint NOT NULL DEFAULT 0,
    generation bigint NOT NULL DEFAULT 0,
    dimensions integer,
    worker uuid,
    lease_until timestamptz,
    last_error text,
    failed_at timestamptz,
    used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, embedder)
  )`,
  // 32-bit floats, little-endian, of length 1.
  `CREATE TABLE semantic_vectors (
    workspace_id uuid NOT NULL,
    embedder text NOT NULL,
    chunk_hash bytea NOT NULL,
    seq bigint NOT NULL,
    vector bytea,
    refusal text,
    PRIMARY KEY (workspace_id, embedder, chunk_hash),
    FOREIGN KEY (workspace_id, chunk_hash) REFERENCES semantic_chunks ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, embedder) REFERENCES semantic_progress ON DELETE CASCADE,
    CHECK ((vector IS NULL) = (refusal IS NOT NULL))
  )`,
  `ALTER TABLE semantic_vectors ALTER COLUMN vector SET STORAGE EXTERNAL`,
  `CREATE UNIQUE INDEX semantic_vectors_seq ON semantic_vectors (workspace_id, embedder, seq)`,
  `CREATE INDEX semantic_vectors_chunk ON semantic_vectors (workspace_id, chunk_hash)`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}
