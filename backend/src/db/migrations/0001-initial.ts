/**
 * The whole schema. Rules that hold for every table:
 * ids are UUIDv7 made in the program; every row of a workspace names it, so that each query can be scoped by it; JSON that is sent as it stands
 * is `text` (jsonb rejects `\u0000` and lone surrogates and reorders keys); sequences that people see (`change_seq`, `event_seq`, turn numbers)
 * come from counters in the parent row, so that they are gap-free in commit order. Times that page a list have the precision of a cursor (ms). Paths compare by bytes on every server (`COLLATE "C"`).
 */
import { type Kysely, sql } from 'kysely'

const PEOPLE = [
  `CREATE TABLE users (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    email text UNIQUE,
    is_local_owner boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE UNIQUE INDEX users_one_local_owner ON users (is_local_owner) WHERE is_local_owner`,
  `CREATE TABLE api_tokens (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    token_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz
  )`,
  `CREATE INDEX api_tokens_user ON api_tokens (user_id)`,
  `CREATE TABLE sign_in_codes (
    code_hash bytea PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
  )`,
  `CREATE TABLE browser_sessions (
    session_hash bytea PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
  )`,
  `CREATE TABLE idempotency_keys (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    method text NOT NULL,
    path text NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL,
    response text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, method, path, key)
  )`,
  `CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at)`,
  `CREATE TABLE workspaces (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    owner_id uuid NOT NULL REFERENCES users,
    change_seq bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
  )`,
  `CREATE UNIQUE INDEX workspaces_name ON workspaces (owner_id, name) WHERE deleted_at IS NULL`,
  `CREATE TABLE workspace_members (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('viewer', 'editor', 'admin', 'owner')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, user_id)
  )`,
  `CREATE INDEX workspace_members_user ON workspace_members (user_id)`,
]

const FILES = [
  `CREATE TABLE blobs (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    size bigint NOT NULL CHECK (size >= 0),
    content bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, hash)
  )`,
  `ALTER TABLE blobs ALTER COLUMN content SET STORAGE EXTERNAL`,
  `CREATE TABLE blob_chunks (
    workspace_id uuid NOT NULL,
    hash bytea NOT NULL,
    index integer NOT NULL CHECK (index >= 0),
    data bytea NOT NULL,
    PRIMARY KEY (workspace_id, hash, index),
    FOREIGN KEY (workspace_id, hash) REFERENCES blobs ON DELETE CASCADE
  )`,
  `ALTER TABLE blob_chunks ALTER COLUMN data SET STORAGE EXTERNAL`,
  `CREATE TABLE files (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    parent_id uuid,
    name text COLLATE "C" NOT NULL,
    path text COLLATE "C" NOT NULL,
    file_type text NOT NULL CHECK (file_type IN ('folder', 'document', 'plan', 'memory', 'chat')),
    latest_version_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    UNIQUE (workspace_id, id),
    FOREIGN KEY (workspace_id, parent_id) REFERENCES files (workspace_id, id)
  )`,
  `CREATE UNIQUE INDEX files_active_path ON files (workspace_id, path) WHERE deleted_at IS NULL`,
  `CREATE INDEX files_children ON files (workspace_id, parent_id, name) WHERE deleted_at IS NULL`,
  `CREATE INDEX files_trash ON files (workspace_id, deleted_at) WHERE deleted_at IS NOT NULL`,
  `CREATE TABLE file_versions (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    file_id uuid NOT NULL,
    number integer NOT NULL CHECK (number >= 1),
    blob_hash bytea NOT NULL,
    size bigint NOT NULL,
    mime text NOT NULL,
    author_kind text NOT NULL CHECK (author_kind IN ('user', 'agent', 'disk', 'system')),
    author_id uuid,
    turn_id uuid,
    tool_call_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (file_id, number),
    UNIQUE (workspace_id, id),
    FOREIGN KEY (workspace_id, file_id) REFERENCES files (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, blob_hash) REFERENCES blobs (workspace_id, hash)
  )`,
  `CREATE INDEX file_versions_blob ON file_versions (workspace_id, blob_hash)`,
  `CREATE INDEX file_versions_tool_call ON file_versions (tool_call_id) WHERE tool_call_id IS NOT NULL`,
  `ALTER TABLE files ADD FOREIGN KEY (workspace_id, latest_version_id) REFERENCES file_versions (workspace_id, id) DEFERRABLE INITIALLY DEFERRED`,
  `CREATE TABLE changes (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    seq bigint NOT NULL CHECK (seq >= 1),
    kind text NOT NULL CHECK (kind IN ('created', 'updated', 'moved', 'deleted', 'restored', 'purged')),
    file_id uuid NOT NULL,
    file_type text NOT NULL,
    version_id uuid,
    prev_version_id uuid,
    from_path text COLLATE "C",
    to_path text COLLATE "C",
    change_set_id uuid NOT NULL,
    author_kind text NOT NULL,
    author_id uuid,
    turn_id uuid,
    tool_call_id uuid,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, seq)
  )`,
  `CREATE INDEX changes_file ON changes (workspace_id, file_id, seq)`,
  `CREATE INDEX changes_turn ON changes (turn_id) WHERE turn_id IS NOT NULL`,
]

const CHATS = [
  `CREATE TABLE chats (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    created_by uuid NOT NULL REFERENCES users,
    title text NOT NULL,
    agent text NOT NULL,
    model text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('build', 'plan')),
    event_seq bigint NOT NULL DEFAULT 0,
    turn_seq integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    UNIQUE (workspace_id, id)
  )`,
  `CREATE INDEX chats_recent ON chats (workspace_id, updated_at DESC, id DESC) WHERE deleted_at IS NULL`,
  `CREATE TABLE turns (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    chat_id uuid NOT NULL,
    number integer NOT NULL CHECK (number >= 1),
    user_id uuid NOT NULL REFERENCES users,
    message_id uuid NOT NULL,
    reply_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'waiting', 'done', 'stopped', 'error')),
    agent text NOT NULL,
    model text NOT NULL,
    attempt integer NOT NULL DEFAULT 0,
    owner uuid,
    lease_epoch integer NOT NULL DEFAULT 0,
    lease_expires_at timestamptz,
    stop_requested_at timestamptz,
    usage jsonb,
    cost double precision,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    first_delta_at timestamptz,
    ended_at timestamptz,
    UNIQUE (chat_id, number),
    UNIQUE (workspace_id, id),
    FOREIGN KEY (workspace_id, chat_id) REFERENCES chats (workspace_id, id) ON DELETE CASCADE
  )`,
  // Proof, not mechanism: the claim takes only a chat's head; this index makes a second running turn of one chat impossible.
  `CREATE UNIQUE INDEX turns_one_active ON turns (chat_id) WHERE status IN ('running', 'waiting')`,
  `CREATE INDEX turns_open ON turns (chat_id, number) WHERE status IN ('queued', 'running', 'waiting')`,
  `CREATE INDEX turns_leased ON turns (owner, lease_expires_at) WHERE status = 'running'`,
  `CREATE TABLE chat_messages (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    chat_id uuid NOT NULL,
    turn_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('user', 'assistant')),
    status text NOT NULL CHECK (status IN ('running', 'complete', 'stopped', 'error')),
    content text NOT NULL,
    model text,
    usage jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (turn_id, role),
    FOREIGN KEY (workspace_id, chat_id) REFERENCES chats (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, turn_id) REFERENCES turns (workspace_id, id) ON DELETE CASCADE
  )`,
  `CREATE INDEX chat_messages_chat ON chat_messages (chat_id, created_at)`,
  // One row per committed model call of a turn: the assistant message exactly as the runtime gave it, and the ids of its parts on the wire.
  `CREATE TABLE turn_steps (
    turn_id uuid NOT NULL,
    number integer NOT NULL CHECK (number >= 1),
    workspace_id uuid NOT NULL,
    attempt integer NOT NULL,
    content text NOT NULL,
    parts text NOT NULL,
    model text NOT NULL,
    usage jsonb,
    cost double precision,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (turn_id, number),
    FOREIGN KEY (workspace_id, turn_id) REFERENCES turns (workspace_id, id) ON DELETE CASCADE
  )`,
  `CREATE TABLE tool_calls (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    chat_id uuid NOT NULL,
    turn_id uuid NOT NULL,
    step integer NOT NULL,
    index integer NOT NULL,
    message_id uuid NOT NULL,
    provider_call_id text NOT NULL,
    name text NOT NULL,
    args text NOT NULL,
    effect text NOT NULL CHECK (effect IN ('read', 'write', 'external')),
    status text NOT NULL CHECK (status IN ('pending', 'running', 'ok', 'failed', 'cancelled', 'in_doubt')),
    result text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    ended_at timestamptz,
    UNIQUE (turn_id, step, index),
    FOREIGN KEY (workspace_id, turn_id) REFERENCES turns (workspace_id, id) ON DELETE CASCADE
  )`,
  `CREATE TABLE chat_events (
    chat_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq >= 1),
    workspace_id uuid NOT NULL,
    type text NOT NULL,
    turn_id uuid,
    data text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chat_id, seq),
    FOREIGN KEY (workspace_id, chat_id) REFERENCES chats (workspace_id, id) ON DELETE CASCADE
  )`,
  `CREATE INDEX chat_events_turn ON chat_events (turn_id, seq) WHERE turn_id IS NOT NULL`,
  // Exactly one terminal event per turn, whatever node writes it.
  `CREATE UNIQUE INDEX chat_events_one_end ON chat_events (turn_id) WHERE type IN ('done', 'stopped', 'error')`,
  `CREATE TABLE requests_to_user (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    chat_id uuid NOT NULL,
    turn_id uuid NOT NULL,
    tool_call_id uuid NOT NULL REFERENCES tool_calls ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('question', 'approval')),
    payload text NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'resolved', 'cancelled')),
    answer text,
    created_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    resolved_by uuid REFERENCES users,
    FOREIGN KEY (workspace_id, chat_id) REFERENCES chats (workspace_id, id) ON DELETE CASCADE
  )`,
  `CREATE INDEX requests_to_user_open ON requests_to_user (chat_id) WHERE status = 'pending'`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...PEOPLE, ...FILES, ...CHATS]) await sql.raw(statement).execute(db)
}
