import { rewind } from '@buildscale/protocol'
import type { FastifyInstance } from 'fastify'
import { type Call, handle } from '../http/handle.ts'
import type { IdempotentTransactions } from '../services/auth/idempotent-transactions.ts'
import { userAuthor } from '../services/files/author.ts'
import { parsePath } from '../services/files/file-path.ts'
import type { FileService } from '../services/files/file-service.ts'
import type { RewindService } from '../services/files/rewind-service.ts'
import { requirePermission } from '../services/workspaces/permissions.ts'

export interface HistoryDeps {
  readonly files: Pick<FileService, 'change'>
  readonly rewinds: Pick<RewindService, 'preview' | 'within' | 'seqBeforeTurn'>
  readonly idempotent: Pick<IdempotentTransactions, 'within'>
}

/** What happened to the files of a workspace, and the way back. */
export function registerHistoryRoutes(app: FastifyInstance, deps: HistoryDeps): void {
  handle(app, rewind, (call) => goBack(deps, call))
}

/** A preview needs only the right to read; going back, the right to write. */
async function goBack({ files, rewinds, idempotent }: HistoryDeps, { params, body, user, role, idempotency }: Call<typeof rewind>) {
  requirePermission(role, body.dry_run ? 'read' : 'write_files')
  const workspaceId = params.w
  const toSeq = body.before_turn === undefined ? (body.to_seq ?? 0) : await rewinds.seqBeforeTurn(workspaceId, body.before_turn)
  const target = { workspaceId, toSeq, ...(body.paths !== undefined && { paths: body.paths.map(parsePath) }) }
  if (body.dry_run) return await rewinds.preview(target)
  const options = { ...target, ...(body.if_seq !== undefined && { ifSeq: body.if_seq }) }
  const { result } = await files.change({ workspaceId, author: userAuthor(user.id) }, (set) => idempotent.within(set.tx, idempotency, () => rewinds.within(set, options)))
  return result
}
