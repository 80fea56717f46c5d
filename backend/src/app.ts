import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { randomUUID } from 'node:crypto'
import type { Db } from './db/db.ts'
import type { HttpAccess } from './http/access.ts'
import { installClosing } from './http/closing.ts'
import { installErrorResponses, refuseConnection, sendError } from './http/error-response.ts'
import { guardHost, type HostPolicy } from './http/host-guard.ts'
import { installJsonBodies } from './http/json-body.ts'
import { installRequestLog } from './http/request-log.ts'
import { RouteTable } from './http/route-table.ts'
import { installSecurityHeaders } from './http/security-headers.ts'
import { installStaticUi } from './http/static-ui.ts'
import { registerAgentRoutes } from './routes/agents.ts'
import { type ChatRoutesDeps, registerChatRoutes } from './routes/chats.ts'
import { registerFileRoutes } from './routes/files.ts'
import { type HistoryDeps, registerHistoryRoutes } from './routes/history.ts'
import { type PeopleDeps, registerPeopleRoutes } from './routes/people.ts'
import { registerSearchRoutes, type SearchDeps } from './routes/search.ts'
import { registerSystemRoutes, type SystemDeps } from './routes/system.ts'
import { registerTransferRoutes, type TransferDeps } from './routes/transfer.ts'
import { registerTrashRoutes } from './routes/trash.ts'
import { registerToolRoutes, type ToolDeps } from './routes/tools.ts'
import { registerWorkspaceRoutes, type WorkspaceDeps } from './routes/workspaces.ts'
import type { AgentCatalog } from './services/agents/agent-catalog.ts'
import type { IdempotentTransactions } from './services/auth/idempotent-transactions.ts'
import type { FileService } from './services/files/file-service.ts'
import type { FileTags } from './services/files/file-tags.ts'

/** What the HTTP side needs of the rest: services, and functions for what no service of its own has. */
export interface AppDeps extends SystemDeps, Omit<PeopleDeps, keyof WorkspaceDeps>, WorkspaceDeps {
  readonly files: FileService
  readonly tags: FileTags
  readonly history: HistoryDeps['history']
  readonly agents: AgentCatalog
  readonly shell: ToolDeps['shell']
  readonly pages: ToolDeps['pages']
  readonly webSearch: ToolDeps['webSearch']
  readonly search: ToolDeps['search'] & SearchDeps['search']
  readonly links: SearchDeps['links']
  readonly imports: TransferDeps['imports']
  readonly exports: TransferDeps['exports']
  readonly db: Db
  readonly idempotent: IdempotentTransactions
  readonly chats: ChatRoutesDeps
  /** Writes JSON lines to stderr. */
  readonly log: FastifyBaseLogger
  readonly hosts: HostPolicy
  /** The folder with the built UI; undefined when there is none: the API works without. */
  readonly webRoot: string | undefined
}

/** The web application: mechanism, routes and UI. Reads and listens to nothing until `ready`, `inject` or `listen`. */
export function createApp(deps: AppDeps): FastifyInstance {
  const app = createServer(deps)
  installSecurityHeaders(app)
  installClosing(app)
  installRequestLog(app)
  app.addHook('onRequest', (request, _reply, done) => {
    guardHost(request, deps.hosts)
    done()
  })
  installJsonBodies(app)
  installErrorResponses(app)
  registerSystemRoutes(app, deps)
  registerPeopleRoutes(app, deps)
  registerWorkspaceRoutes(app, deps)
  registerFileRoutes(app, deps)
  registerTrashRoutes(app, deps)
  registerHistoryRoutes(app, deps)
  registerSearchRoutes(app, deps)
  registerTransferRoutes(app, deps)
  registerToolRoutes(app, deps)
  registerAgentRoutes(app, deps)
  registerChatRoutes(app, deps.chats)
  if (deps.webRoot !== undefined) installStaticUi(app, deps.webRoot)
  return app
}

function createServer(deps: AppDeps): FastifyInstance {
  const app: FastifyInstance = fastify({
    loggerInstance: deps.log,
    // One line per answer is written by the request log, which knows what to leave out.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: (error, request, reply) => void sendError(request, reply, error),
    clientErrorHandler: (error, socket) => refuseConnection(error, socket),
    // Answered by `installClosing`, with a body of ours.
    return503OnClosing: false,
    // A kept-alive connection must not hold up the end of the process.
    forceCloseConnections: 'idle',
  })
  const access: HttpAccess = {
    userOfToken: (token) => deps.auth.userOfToken(token),
    userOfSession: (secret) => deps.auth.userOfSession(secret),
    roleOf: (membership) => deps.workspaces.roleOf(membership),
  }
  app.decorate('access', access)
  app.decorate('routeTable', new RouteTable())
  app.decorateRequest('signedInUser', null)
  app.decorateRequest('workspaceRole', null)
  return app
}
