import type { ErrorCode } from '@buildscale/protocol'
import { randomUUID } from 'node:crypto'
import { type FixtureChat, now } from './fixture-chat.ts'
import { exportTar, importTar } from './fixture-archives.ts'
import { FixtureWorkspace } from './fixture-workspace.ts'

export class FixtureError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

export type FixtureReply =
  | { readonly type: 'json'; readonly status: number; readonly body: unknown; readonly headers?: Record<string, string> }
  | { readonly type: 'bytes'; readonly status: number; readonly bytes: Buffer; readonly mime: string; readonly headers: Record<string, string> }
  | { readonly type: 'events'; readonly chat: FixtureChat }

interface FixtureCall {
  readonly server: { readonly workspaces: FixtureWorkspace[]; readonly url: string }
  readonly workspace: FixtureWorkspace
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: Buffer
  readonly accept: string | undefined
}

const USER = { id: randomUUID(), name: 'owner', email: null, created_at: now() }

/** By the name of the endpoint; what is not here answers 404. */
export const FIXTURE_HANDLERS: Readonly<Record<string, (call: FixtureCall) => FixtureReply | Promise<FixtureReply>>> = {
  health: () => json({ status: 'ok', version: '0.0.0' }),
  ready: ({ server }) => (server.workspaces.length === 0 ? json({ status: 'unavailable', parts: { database: { ok: false, detail: 'no answer' } } }, 503) : json({ status: 'ready', parts: {} })),
  me: ({ server }) => json({ user: USER, workspaces: server.workspaces.map(workspaceInfo) }),
  listModels: () => json({ items: [{ id: 'offline:rules', provider: 'offline', available: true, default: true }], offline: true, problems: [] }),
  createSession: ({ body }) => {
    if (parse(body)['code'] !== 'fixture-code') throw new FixtureError('unauthenticated', 'The sign-in code is wrong, used or too old')
    return { type: 'json', status: 200, body: { user: USER }, headers: { 'set-cookie': 'buildscale_session=fixture; HttpOnly; SameSite=Lax; Path=/' } }
  },
  deleteSession: () => ({ type: 'json', status: 204, body: undefined, headers: { 'set-cookie': 'buildscale_session=; Max-Age=0; Path=/' } }),
  createSignInCode: ({ server }) => json({ code: 'fixture-code', url: `${server.url}/sign-in#code=fixture-code`, expires_at: now() }, 201),
  createUser: ({ body }) => json({ user: { ...USER, id: randomUUID(), name: parse(body)['name'] } }, 201),
  createToken: ({ body }) => json({ id: randomUUID(), token: `bs_${String(parse(body)['name'])}` }, 201),
  doctor: ({ server, body }) => {
    const differences = parse(body)['repair'] === true ? [] : server.workspaces.flatMap(({ name }) => (name === 'damaged' ? [{ path: '/a.txt', kind: 'content' }] : []))
    return json({ ok: differences.length === 0, workspaces: server.workspaces.map(({ id, name, changeSeq }) => ({ id, name, change_seq: changeSeq, applied_seq: changeSeq, differences: name === 'damaged' ? differences : [] })) })
  },
  createWorkspace: ({ server, body }) => {
    const workspace = new FixtureWorkspace(String(parse(body)['name']))
    server.workspaces.push(workspace)
    return json(workspaceInfo(workspace), 201)
  },
  listWorkspaces: ({ server, query }) => json(pageOf(server.workspaces.map(workspaceInfo), query)),
  getWorkspace: ({ workspace }) => json(workspaceInfo(workspace)),
  putMember: ({ params, body }) => json({ user_id: params['user'], name: 'member', role: parse(body)['role'], created_at: now() }),
  listFiles: ({ workspace, query }) => {
    const entries = workspace.list(query.get('path') ?? '/', query.get('recursive') === 'true')
    if (entries === undefined) throw new FixtureError('not_found', 'No such file or folder')
    return json(pageOf(entries, query))
  },
  getFileContent: ({ workspace, query }) => {
    const versions = workspace.files.get(query.get('path') ?? '')?.versions
    const number = query.get('version')
    const version = number === null ? versions?.at(-1) : versions?.[Number(number) - 1]
    if (version === undefined) throw new FixtureError('not_found', 'No such file')
    return { type: 'bytes', status: 200, bytes: version.bytes, mime: version.info.mime, headers: { etag: `"${version.info.hash}"` } }
  },
  putFileContent: ({ workspace, query, body }) => {
    const path = query.get('path') ?? ''
    if (path.includes('\\')) throw new FixtureError('invalid_request', 'A path may not contain a backslash')
    const { created, ...result } = workspace.put(path, body)
    return json(result, created ? 201 : 200)
  },
  importFiles: async ({ workspace, query, body, accept }) => {
    const result = await importTar(workspace, { to: query.get('path') ?? '/', archive: body })
    if (accept !== 'text/event-stream') return json(result)
    const frames = [{ type: 'progress', data: result }, { type: 'done', data: result }].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    return { type: 'bytes', status: 200, bytes: Buffer.from(frames.join('')), mime: 'text/event-stream', headers: {} }
  },
  exportFiles: async ({ workspace }) => ({ type: 'bytes', status: 200, bytes: await exportTar(workspace), mime: 'application/x-tar', headers: {} }),
  createFolder: ({ body }) => json({ file: { id: randomUUID(), path: parse(body)['path'], name: '', file_type: 'folder', size: null, version: null, hash: null, mime: null, updated_at: now() } }),
  listFileVersions: ({ workspace, query }) => json({ items: (workspace.files.get(query.get('path') ?? '')?.versions ?? []).map(({ info }) => info).reverse(), next_cursor: null }),
  runTool: ({ params }) => json(params['name'] === 'ls' ? { ok: true, output: { entries: [] } } : { ok: false, error: { code: 'not_found', message: 'No such file' } }),
  listAgents: ({ workspace, query }) => json(pageOf(workspace.agents, query)),
  listSkills: ({ workspace, query }) => json(pageOf(workspace.skills, query)),
  createChat: ({ workspace, body }) => {
    const options = parse(body)
    const goal = typeof options['goal'] === 'string' ? options['goal'] : undefined
    const chat = workspace.createChat({ ...(goal !== undefined && { goal }), ...(typeof options['model'] === 'string' && { model: options['model'] }), ...(typeof options['agent'] === 'string' && { agent: options['agent'] }) })
    if (goal === undefined) return json({ chat: chat.info, after: 0 }, 201)
    const { message_id, turn_id, after } = chat.post(goal)
    return json({ chat: chat.info, message_id, turn_id, after }, 201)
  },
  listChats: ({ workspace, query }) => json(pageOf([...workspace.chats.values()].map(({ info }) => info).reverse(), query)),
  getChat: (call) => json(chatOf(call).info),
  patchChat: (call) => {
    const chat = chatOf(call)
    Object.assign(chat.info, parse(call.body))
    return json(chat.info)
  },
  deleteChat: (call) => {
    call.workspace.chats.delete(chatOf(call).info.id)
    return { type: 'json', status: 204, body: undefined }
  },
  listMessages: (call) => {
    const chat = chatOf(call)
    return json({ items: chat.messages, next_cursor: null, as_of_seq: chat.asOfSeq })
  },
  postMessage: (call) => json(chatOf(call).post(String(parse(call.body)['content'])), 202),
  stopChat: (call) => (chatOf(call).stop() ? json({ turn_id: randomUUID(), status: 'stopped' }) : json({ turn_id: null, status: 'idle' })),
  chatEvents: (call) => ({ type: 'events', chat: chatOf(call) }),
  getTurn: ({ params }) => json({ id: params['t'], chat_id: randomUUID(), message_id: randomUUID(), agent: { name: 'assistant', path: null, version: null }, skills: [], status: 'waiting', attempt: 1, steps: [], tool_calls: [], usage: null, cost: null, error: null, created_at: now(), started_at: now(), ended_at: null }),
}

function chatOf({ workspace, params }: FixtureCall): FixtureChat {
  const chat = workspace.chats.get(params['c'] ?? '')
  if (chat === undefined) throw new FixtureError('not_found', 'No such chat')
  return chat
}

function json(body: unknown, status = 200): FixtureReply {
  return { type: 'json', status, body }
}

function parse(body: Buffer): Record<string, unknown> {
  return JSON.parse(body.toString()) as Record<string, unknown>
}

function pageOf<Item>(items: readonly Item[], query: URLSearchParams): { items: readonly Item[]; next_cursor: string | null } {
  const [start, limit] = [Number(query.get('cursor') ?? 0), Number(query.get('limit') ?? 100)]
  return { items: items.slice(start, start + limit), next_cursor: start + limit < items.length ? String(start + limit) : null }
}

function workspaceInfo(workspace: FixtureWorkspace): unknown {
  return { id: workspace.id, name: workspace.name, role: 'owner', change_seq: workspace.changeSeq, stored_bytes: 0, quota_bytes: null, created_at: now() }
}
