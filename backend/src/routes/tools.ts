import { listTools, runTool } from '@buildscale/protocol'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../errors.ts'
import { type Call, handle } from '../http/handle.ts'
import type { IdempotentTransactions } from '../services/auth/idempotent-transactions.ts'
import { userAuthor } from '../services/files/author.ts'
import type { FileService } from '../services/files/file-service.ts'
import { requirePermission } from '../services/workspaces/permissions.ts'
import { findTool, offeredTools } from '../tools/registry.ts'
import { runTool as runWorkspaceTool, type ToolOutcome } from '../tools/run-tool.ts'
import { toolParameters } from '../tools/tool-parameters.ts'
import type { ToolServices } from '../tools/tool.ts'

export interface ToolDeps extends ToolServices {
  readonly files: ToolServices['files'] & Pick<FileService, 'change'>
  readonly db: { readonly kysely: Parameters<FileService['stat']>[0] }
  readonly idempotent: Pick<IdempotentTransactions, 'within' | 'find'>
}

/** The core tools by hand: the same way in that a model has, with the text that it would read. */
export function registerToolRoutes(app: FastifyInstance, deps: ToolDeps): void {
  handle(app, listTools, () => {
    const items = offeredTools(deps).map((tool) => ({ name: tool.name, description: tool.description, effect: tool.effect, parameters: toolParameters(tool) }))
    return { items, next_cursor: null }
  })
  handle(app, runTool, async (call) => {
    const tool = findTool(call.params.name)
    if (tool === undefined) throw new AppError('not_found', 'There is no such tool.')
    requirePermission(call.role, tool.effect === 'read' ? 'read' : 'write_files')
    const outcome = await runOnce(deps, call)
    // What the runtime keeps readonly, the wire's type does not: a copy of two fields.
    return outcome.ok ? { ok: true as const, output: outcome.output } : { ok: false as const, error: { ...outcome.error } }
  })
}

/** A repeat gets the first one's output, even when the tool would refuse now what it did then. */
async function runOnce(deps: ToolDeps, call: Call<typeof runTool>): Promise<ToolOutcome> {
  const first = await stored(deps, call)
  if (first !== undefined) return first
  const outcome = await run(deps, call)
  // Two at once: the other one may have done it between our look and our refusal.
  return outcome.ok ? outcome : ((await stored(deps, call)) ?? outcome)
}

async function stored({ idempotent }: ToolDeps, { idempotency }: Call<typeof runTool>): Promise<ToolOutcome | undefined> {
  const found = await idempotent.find<unknown>(idempotency)
  return found === undefined ? undefined : { ok: true, output: found.answer }
}

function run({ files, search, shell, pages, webSearch, db, idempotent }: ToolDeps, { params, body, user, idempotency, signal }: Call<typeof runTool>): Promise<ToolOutcome> {
  // The key is taken in the transaction of the tool's change set; reading tools have none, and need none.
  const change: FileService['change'] = (options, apply) => files.change(options, (set) => idempotent.within(set.tx, idempotency, () => apply(set)))
  return runWorkspaceTool(
    { name: params.name, args: body.args },
    {
      workspaceId: params.w,
      userId: user.id,
      author: userAuthor(user.id),
      mode: 'build',
      signal,
      conn: { run: (use) => db.kysely.connection().execute(use) },
      search,
      shell,
      pages,
      webSearch,
      files: { change, stat: (conn, at) => files.stat(conn, at), list: (conn, at) => files.list(conn, at), read: (conn, at) => files.read(conn, at), readMany: (conn, of) => files.readMany(conn, of) },
    },
  )
}
