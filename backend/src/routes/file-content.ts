import { getFileContent, putFileContent } from '@buildscale/protocol'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { byteRange } from '../http/byte-range.ts'
import type { BytesAnswer } from '../http/bytes-answer.ts'
import { contentHeaders } from '../http/content-headers.ts'
import { checkPreconditions, entityTag, matchesTag, preconditionsOf, tagCondition } from '../http/entity-tag.ts'
import { type Call, handle } from '../http/handle.ts'
import type { AgentCatalog } from '../services/agents/agent-catalog.ts'
import { userAuthor } from '../services/files/author.ts'
import { discardContent } from '../services/files/content.ts'
import { parsePath } from '../services/files/file-path.ts'
import type { FileService } from '../services/files/file-service.ts'
import { writeFile } from '../services/files/file-tree.ts'
import { requirePermission } from '../services/workspaces/permissions.ts'

/** The largest file that is taken, in bytes: 1 GiB. */
const FILE_LIMIT_BYTES = 1024 ** 3

export interface FileContentDeps {
  readonly files: Pick<FileService, 'stat' | 'openContent' | 'spool' | 'storeAhead' | 'change'>
  readonly agents: Pick<AgentCatalog, 'at'>
  readonly db: { readonly kysely: Parameters<FileService['stat']>[0] }
}

/** The bytes of files, in and out, in constant memory. */
export function registerFileContentRoutes(app: FastifyInstance, { files, agents, db }: FileContentDeps): void {
  handle(app, getFileContent, async ({ params, query, request }) => {
    const { path, version } = query
    const content = await files.openContent({ workspaceId: params.w, path: parsePath(path), ...(version !== undefined && { version }) })
    return answerContent(request, content)
  })
  handle(app, putFileContent, async (call) => {
    requirePermission(call.role, 'write_files')
    const stored = await storeContent(files, call)
    call.reply.code(stored.created ? 201 : 200).header('etag', entityTag(stored.version.hash))
    const definition = await agents.at(db.kysely, call.params.w, stored.file.path)
    const faults = definition !== undefined && { definition: { errors: [...definition.errors], warnings: [...definition.warnings] } }
    return { file: stored.file, version: stored.version, unchanged: stored.unchanged, ...faults }
  })
}

type OpenContent = Awaited<ReturnType<FileService['openContent']>>

/** The whole, a part, "you have it already" or only the headers: whatever the request asks for. */
function answerContent(request: FastifyRequest, { file, version, size, stream }: OpenContent): BytesAnswer {
  const { headers: asked } = request
  const tag = entityTag(version.hash)
  const headers = { ...contentHeaders({ name: file.name, mime: version.mime }), etag: tag, 'accept-ranges': 'bytes' }
  const known = tagCondition(asked['if-none-match'], 'If-None-Match')
  if (known !== undefined && matchesTag(known, version.hash)) return { status: 304, headers, stream: undefined }
  const ifRange = asked['if-range']
  const range = byteRange(ifRange === undefined || ifRange === tag ? asked.range : undefined, size)
  const isHead = request.method === 'HEAD'
  switch (range.type) {
    case 'whole':
      return { status: 200, headers: { ...headers, 'content-length': String(size) }, stream: isHead ? undefined : stream() }
    case 'part': {
      const part = { 'content-range': `bytes ${range.start}-${range.end}/${size}`, 'content-length': String(range.end - range.start + 1) }
      return { status: 206, headers: { ...headers, ...part }, stream: isHead ? undefined : stream({ start: range.start, end: range.end }) }
    }
    case 'unsatisfiable':
      throw new AppError('range_not_satisfiable', `The file has ${size} bytes; the range starts after its end.`, { details: { size } })
  }
}

/** What can be refused is refused before the first byte is read. */
async function storeContent(files: FileContentDeps['files'], { params, query, body, user, request, signal }: Call<typeof putFileContent>) {
  const path = parsePath(query.path)
  const preconditions = preconditionsOf(request.headers)
  if (request.headers['content-range'] !== undefined) throw new AppError('invalid_request', 'A file is stored as a whole: Content-Range is not possible here.')
  if (Number(request.headers['content-length'] ?? 0) > FILE_LIMIT_BYTES) throw new AppError('payload_too_large', `A file has at most ${FILE_LIMIT_BYTES} bytes.`)
  const content = await files.spool(body, { limitBytes: FILE_LIMIT_BYTES, signal })
  try {
    await files.storeAhead(params.w, content)
    const { result } = await files.change({ workspaceId: params.w, author: userAuthor(user.id) }, async (set) => {
      const current = await files.stat(set.tx, { workspaceId: params.w, path })
      checkPreconditions(preconditions, current === undefined ? undefined : (current.hash ?? ''))
      return await writeFile(set, { path, content })
    })
    return result
  } finally {
    await discardContent(content)
  }
}
