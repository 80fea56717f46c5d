import { blameFile, type Change, diffFile, listChanges, rewind, workspaceEvents } from '@buildscale/protocol'
import type { FastifyInstance } from 'fastify'
import { type Call, handle } from '../http/handle.ts'
import { eventCursor, sendLive } from '../http/live-stream.ts'
import { sseFrame } from '../http/sse.ts'
import type { IdempotentTransactions } from '../services/auth/idempotent-transactions.ts'
import { userAuthor } from '../services/files/author.ts'
import { fileBlame } from '../services/files/file-blame.ts'
import { fileDiff } from '../services/files/file-diff.ts'
import { parsePath } from '../services/files/file-path.ts'
import type { FileService } from '../services/files/file-service.ts'
import type { JournalReader } from '../services/files/journal-reader.ts'
import type { RewindService } from '../services/files/rewind-service.ts'
import { requirePermission } from '../services/workspaces/permissions.ts'

export interface HistoryDeps {
  readonly files: Pick<FileService, 'read' | 'change'>
  readonly history: {
    readonly rewinds: Pick<RewindService, 'preview' | 'within' | 'seqBeforeTurn'>
    readonly journal: Pick<JournalReader, 'checkCursor' | 'follow' | 'page'>
    readonly isMember: (of: { readonly workspaceId: string; readonly userId: string }) => Promise<boolean>
    /** Open streams end when it aborts: the server stops. */
    readonly closing: AbortSignal
  }
  readonly db: { readonly kysely: Parameters<FileService['read']>[0] }
  readonly idempotent: Pick<IdempotentTransactions, 'within'>
}

const PAGE = 100

/** What happened to the files of a workspace, and the way back. */
export function registerHistoryRoutes(app: FastifyInstance, deps: HistoryDeps): void {
  const { files, db, history } = deps
  handle(app, diffFile, ({ params, query: { path, from, to } }) =>
    fileDiff((at) => files.read(db.kysely, at), { workspaceId: params.w, path: parsePath(path), ...(from !== undefined && { from }), ...(to !== undefined && { to }) }),
  )
  handle(app, blameFile, ({ params, query: { path, version } }) => fileBlame(db.kysely, { workspaceId: params.w, path: parsePath(path), ...(version !== undefined && { version }) }))
  handle(app, listChanges, async ({ params, query }) => {
    const { items, nextCursor } = await history.journal.page(params.w, { after: query.cursor ?? query.after ?? 0, limit: query.limit ?? PAGE })
    return { items, next_cursor: nextCursor }
  })
  handle(app, workspaceEvents, (call) => followJournal(history, call))
  handle(app, rewind, (call) => goBack(deps, call))
}

async function followJournal({ journal, isMember, closing }: HistoryDeps['history'], { params, query, user, request, reply }: Call<typeof workspaceEvents>): Promise<void> {
  const workspaceId = params.w
  const after = eventCursor(request, query.after)
  const lastSeq = await journal.checkCursor(workspaceId, after)
  const first = frame(null, 'session_init', { workspace_id: workspaceId, last_seq: lastSeq })
  const open = (signal: AbortSignal) => Promise.resolve(frames(first, journal.follow(workspaceId, { after, signal })))
  await sendLive({ reply, open, closing, isStillAllowed: () => isMember({ workspaceId, userId: user.id }) })
}

async function* frames(first: string, items: ReturnType<JournalReader['follow']>): AsyncGenerator<string, void, void> {
  yield first
  for await (const item of items) if (item.type === 'stored') yield item.events.map(fileUpdated).join('')
}

function fileUpdated({ seq, tool_call_id: callId, ...change }: Change): string {
  return frame(seq, 'file_updated', { ...change, change_seq: seq, call_id: callId })
}

function frame(id: number | null, type: string, data: object): string {
  return sseFrame({ id, event: type, data: JSON.stringify({ type, data }) })
}

/** A preview needs only the right to read; going back, the right to write. */
async function goBack({ files, history: { rewinds }, idempotent }: HistoryDeps, { params, body, user, role, idempotency }: Call<typeof rewind>) {
  requirePermission(role, body.dry_run ? 'read' : 'write_files')
  const workspaceId = params.w
  const toSeq = body.before_turn === undefined ? (body.to_seq ?? 0) : await rewinds.seqBeforeTurn(workspaceId, body.before_turn)
  const target = { workspaceId, toSeq, ...(body.paths !== undefined && { paths: body.paths.map(parsePath) }) }
  if (body.dry_run) return await rewinds.preview(target)
  const options = { ...target, ...(body.if_seq !== undefined && { ifSeq: body.if_seq }) }
  const { result } = await files.change({ workspaceId, author: userAuthor(user.id) }, (set) => idempotent.within(set.tx, idempotency, () => rewinds.within(set, options)))
  return result
}
