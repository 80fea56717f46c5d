/**
 * Rows as the driver gives them: int8 as number (checked to be safe), bytea as Buffer, timestamptz as Date.
 * What each column means stands in `migrations/0001-initial.ts`.
 */
import type { ColumnType, Generated } from 'kysely'

type Defaulted<T> = ColumnType<T, T | undefined, T>
type Created = ColumnType<Date, Date | undefined, never>
/** A jsonb column: read as a value, written as JSON text. */
type Json<T> = ColumnType<T, string, string>

export interface UsageRow {
  readonly input_tokens: number
  readonly cached_tokens: number
  readonly output_tokens: number
  readonly reasoning_tokens: number
}

export type RoleRow = 'viewer' | 'editor' | 'admin' | 'owner'
export type FileTypeRow = 'folder' | 'document' | 'plan' | 'memory' | 'chat'
export type AuthorKindRow = 'user' | 'agent' | 'disk' | 'system'
export type ChangeKindRow = 'created' | 'updated' | 'moved' | 'deleted' | 'restored' | 'purged'
export type TurnStatusRow = 'queued' | 'running' | 'waiting' | 'done' | 'stopped' | 'error'
export type ToolEffectRow = 'read' | 'write' | 'external'
export type ToolCallStatusRow = 'pending' | 'running' | 'ok' | 'failed' | 'cancelled' | 'in_doubt'
export type MessageStatusRow = 'running' | 'complete' | 'stopped' | 'error'

interface UsersTable {
  id: string
  name: string
  email: string | null
  is_local_owner: Generated<boolean>
  created_at: Created
}

interface ApiTokensTable {
  id: string
  user_id: string
  name: string
  token_hash: Buffer
  created_at: Created
  expires_at: Date | null
  last_used_at: Date | null
}

interface SignInCodesTable {
  code_hash: Buffer
  user_id: string
  expires_at: Date
}

interface BrowserSessionsTable {
  session_hash: Buffer
  user_id: string
  created_at: Created
  expires_at: Date
}

interface IdempotencyKeysTable {
  user_id: string
  method: string
  path: string
  key: string
  body_hash: Buffer
  response: string | null
  created_at: Created
}

interface WorkspacesTable {
  id: string
  name: string
  owner_id: string
  change_seq: Defaulted<number>
  stored_bytes: Defaulted<number>
  quota_bytes: Defaulted<number | null>
  created_at: Created
  deleted_at: Date | null
}

interface WorkspaceMembersTable {
  workspace_id: string
  user_id: string
  role: RoleRow
  created_at: Created
}

interface BlobsTable {
  workspace_id: string
  hash: Buffer
  size: number
  content: Buffer | null
  counted: Defaulted<boolean>
  created_at: Created
}

interface BlobChunksTable {
  workspace_id: string
  hash: Buffer
  index: number
  data: Buffer
}

interface FilesTable {
  id: string
  workspace_id: string
  parent_id: string | null
  name: string
  path: string
  file_type: FileTypeRow
  latest_version_id: string | null
  created_at: Created
  updated_at: Defaulted<Date>
  deleted_at: Date | null
}

interface FileVersionsTable {
  id: string
  workspace_id: string
  file_id: string
  number: number
  blob_hash: Buffer
  size: number
  mime: string
  author_kind: AuthorKindRow
  author_id: string | null
  turn_id: string | null
  tool_call_id: string | null
  created_at: Created
}

interface FileTagsTable {
  workspace_id: string
  file_id: string
  tag: string
}

interface ChangesTable {
  workspace_id: string
  seq: number
  kind: ChangeKindRow
  file_id: string
  file_type: FileTypeRow
  version_id: string | null
  prev_version_id: string | null
  from_path: string | null
  to_path: string | null
  change_set_id: string
  author_kind: AuthorKindRow
  author_id: string | null
  turn_id: string | null
  tool_call_id: string | null
  at: Created
}

interface ChatsTable {
  id: string
  workspace_id: string
  created_by: string
  title: string
  agent: string
  model: string
  mode: 'build' | 'plan'
  event_seq: Defaulted<number>
  turn_seq: Defaulted<number>
  is_model_chosen: Defaulted<boolean>
  created_at: Created
  updated_at: Defaulted<Date>
  deleted_at: Date | null
}

interface TurnsTable {
  id: string
  workspace_id: string
  chat_id: string
  number: number
  user_id: string
  message_id: string
  reply_id: string
  status: TurnStatusRow
  agent: string
  model: string
  attempt: Defaulted<number>
  owner: string | null
  lease_epoch: Defaulted<number>
  lease_expires_at: Date | null
  stop_requested_at: Date | null
  usage: Json<UsageRow> | null
  cost: number | null
  error: string | null
  agent_snapshot: Generated<Buffer | null>
  created_at: Created
  started_at: Date | null
  first_delta_at: Date | null
  ended_at: Date | null
}

interface ChatMessagesTable {
  id: string
  workspace_id: string
  chat_id: string
  turn_id: string
  role: 'user' | 'assistant'
  status: MessageStatusRow
  content: string
  model: string | null
  usage: Json<UsageRow> | null
  created_at: Created
}

interface TurnStepsTable {
  turn_id: string
  number: number
  workspace_id: string
  attempt: number
  content: string
  parts: string
  model: string
  usage: Json<UsageRow> | null
  cost: number | null
  started_at: Date
  ended_at: Defaulted<Date>
}

interface ToolCallsTable {
  id: string
  workspace_id: string
  chat_id: string
  turn_id: string
  step: number
  index: number
  message_id: string
  provider_call_id: string
  name: string
  args: string
  effect: ToolEffectRow
  status: ToolCallStatusRow
  result: string | null
  created_at: Created
  started_at: Date | null
  ended_at: Date | null
}

interface ChatEventsTable {
  chat_id: string
  seq: number
  workspace_id: string
  type: string
  turn_id: string | null
  data: string
  at: Created
}

interface RequestsToUserTable {
  id: string
  workspace_id: string
  chat_id: string
  turn_id: string
  tool_call_id: string
  kind: 'question' | 'approval'
  payload: string
  status: 'pending' | 'resolved' | 'cancelled'
  answer: string | null
  created_at: Created
  resolved_at: Date | null
  resolved_by: string | null
}

interface AgentSnapshotsTable {
  workspace_id: string
  hash: Buffer
  data: string
  created_at: Created
}

interface SemanticWorkspacesTable {
  workspace_id: string
  chunk_seq: Defaulted<number>
}

interface SemanticFilesTable {
  workspace_id: string
  file_id: string
  content_hash: Buffer
  rules: number
}

interface SemanticChunksTable {
  workspace_id: string
  hash: Buffer
  context: string
  body: string
  used_at: Defaulted<Date>
}

interface SemanticPassagesTable {
  workspace_id: string
  file_id: string
  index: number
  chunk_hash: Buffer
  start_line: number
  end_line: number
  heading: string | null
}

interface SemanticProgressTable {
  workspace_id: string
  embedder: string
  done_seq: Defaulted<number>
  vector_seq: Defaulted<number>
  generation: Defaulted<number>
  dimensions: number | null
  worker: string | null
  lease_until: Date | null
  last_error: string | null
  failed_at: Date | null
  used_at: Defaulted<Date>
}

interface SemanticVectorsTable {
  workspace_id: string
  embedder: string
  chunk_hash: Buffer
  seq: number
  vector: Buffer | null
  refusal: string | null
}

interface SearchProgressTable {
  workspace_id: string
  index_name: 'text' | 'semantic'
  seq: Defaulted<number>
  updated_at: Defaulted<Date>
}

interface SearchTextsTable {
  workspace_id: string
  file_id: string
  hash: Buffer
  path: string
  name_key: string
  coverage: 'whole' | 'beginning' | 'name'
  problem: 'binary' | 'encoding' | 'failed' | null
  /** A `tsvector`: written and asked in SQL only. */
  words: string
}

interface FileLinksTable {
  workspace_id: string
  file_id: string
  index: number
  kind: 'wiki' | 'embed' | 'link' | 'image' | 'url'
  target: string
  text: string
  line: number
  target_path: string | null
  target_name: string | null
}

export interface Database {
  users: UsersTable
  api_tokens: ApiTokensTable
  sign_in_codes: SignInCodesTable
  browser_sessions: BrowserSessionsTable
  idempotency_keys: IdempotencyKeysTable
  workspaces: WorkspacesTable
  workspace_members: WorkspaceMembersTable
  blobs: BlobsTable
  blob_chunks: BlobChunksTable
  files: FilesTable
  file_versions: FileVersionsTable
  file_tags: FileTagsTable
  changes: ChangesTable
  chats: ChatsTable
  turns: TurnsTable
  chat_messages: ChatMessagesTable
  turn_steps: TurnStepsTable
  tool_calls: ToolCallsTable
  chat_events: ChatEventsTable
  requests_to_user: RequestsToUserTable
  agent_snapshots: AgentSnapshotsTable
  semantic_workspaces: SemanticWorkspacesTable
  semantic_files: SemanticFilesTable
  semantic_chunks: SemanticChunksTable
  semantic_passages: SemanticPassagesTable
  semantic_progress: SemanticProgressTable
  semantic_vectors: SemanticVectorsTable
  search_progress: SearchProgressTable
  search_texts: SearchTextsTable
  file_links: FileLinksTable
}
