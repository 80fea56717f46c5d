import { exportFiles, type ImportEvent, importFiles, type ImportProgress, type ImportResult } from '@buildscale/protocol'
import type { FastifyInstance } from 'fastify'
import { publicError, STATUS } from '../errors.ts'
import { type Call, handle, SENT } from '../http/handle.ts'
import { sendSse, sseFrame } from '../http/sse.ts'
import { userAuthor } from '../services/files/author.ts'
import { baseName, parsePath } from '../services/files/file-path.ts'
import type { FileService } from '../services/files/file-service.ts'
import { archiveEntries } from '../services/transfer/archive-format.ts'
import type { ExportService } from '../services/transfer/export-service.ts'
import type { ImportService } from '../services/transfer/import-service.ts'
import { isAllowed, requirePermission } from '../services/workspaces/permissions.ts'
import type { WorkspaceService } from '../services/workspaces/workspace-service.ts'

export interface TransferDeps {
  readonly files: Pick<FileService, 'spool'>
  readonly imports: Pick<ImportService, 'import' | 'limits'>
  readonly exports: Pick<ExportService, 'open'>
  readonly workspaces: Pick<WorkspaceService, 'roleOf'>
}

/** Many files at once, in and out, in constant memory. */
export function registerTransferRoutes(app: FastifyInstance, deps: TransferDeps): void {
  handle(app, importFiles, (call) => {
    requirePermission(call.role, 'write_files')
    return wantsEvents(call.request.headers.accept) ? sendEvents(deps, call) : startImport(deps, call)
  })
  handle(app, exportFiles, async ({ params, query, request }) => {
    const path = parsePath(query.path)
    const stream = await deps.exports.open({ workspaceId: params.w, path })
    const name = encodeURIComponent(path === '/' ? 'workspace' : baseName(path)).replace(/['()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
    const headers = { 'content-type': 'application/x-tar', 'content-disposition': `attachment; filename*=UTF-8''${name}.tar`, 'cache-control': 'no-store' }
    if (request.method === 'HEAD') stream.destroy()
    return { status: 200, headers, stream: request.method === 'HEAD' ? undefined : stream }
  })
}

type ImportCall = Call<typeof importFiles>
type OnProgress = (progress: ImportProgress) => void

function startImport({ files, imports }: TransferDeps, { params, query, body, user, request, signal }: ImportCall, onProgress?: OnProgress): Promise<ImportResult> {
  const entries = archiveEntries({ contentType: request.headers['content-type'], bytes: body, signal }, { files, limits: imports.limits })
  const target = { workspaceId: params.w, author: userAuthor(user.id), path: parsePath(query.path), signal, ...(onProgress !== undefined && { onProgress }) }
  return imports.import(target, entries)
}

function wantsEvents(accept: string | undefined): boolean {
  return accept?.split(',').some((type) => type.split(';')[0]?.trim().toLowerCase() === 'text/event-stream') === true
}

/** Progress while the body is still being sent, then `done` or `error`. */
async function sendEvents(deps: TransferDeps, call: ImportCall): Promise<typeof SENT> {
  const { params, user, reply } = call
  const events = new ImportEvents()
  const end = startImport(deps, call, (data) => events.add({ type: 'progress', data }))
  void end.then((data) => events.add({ type: 'done', data })).catch((error: unknown) => events.add(errorEvent(error, call)))
  const isStillAllowed = async (): Promise<boolean> => {
    const role = await deps.workspaces.roleOf({ workspaceId: params.w, userId: user.id })
    return role !== undefined && isAllowed(role, 'write_files')
  }
  await sendSse(reply, events.frames(), { controller: new AbortController(), isStillAllowed })
  return SENT
}

function errorEvent(error: unknown, { request, signal }: ImportCall): ImportEvent {
  const shown = publicError(error)
  // That a client went away is no failure of ours.
  if (STATUS[shown.code] >= 500 && !signal.aborted) request.log.error({ err: error }, 'an import failed')
  return { type: 'error', data: { ...shown, request_id: request.id } }
}

/** From the import to the client; of progress that waits, only the newest is worth sending. */
class ImportEvents {
  #next: ImportEvent | undefined
  #wake: () => void = () => undefined

  add(event: ImportEvent): void {
    this.#next = event
    this.#wake()
  }

  async *frames(): AsyncGenerator<string, void, undefined> {
    for (;;) {
      while (this.#next === undefined) await new Promise<void>((resolve) => (this.#wake = resolve))
      const event = this.#next
      this.#next = undefined
      yield sseFrame({ id: null, event: event.type, data: JSON.stringify(event) })
      if (event.type !== 'progress') return
    }
  }
}
