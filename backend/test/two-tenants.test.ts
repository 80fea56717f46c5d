/** What one person owns does not exist for another: every endpoint of the API, tried with the token of a stranger. */
import { ENDPOINTS, type Endpoint, fillPath } from '@buildscale/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApp, startApp } from './support/running-app.ts'

/** Requests that would be right for a member, so that a stranger is refused for being one. */
const BODIES: Readonly<Record<string, unknown>> = {
  copyFile: { from: '/mine.txt', to: '/b' },
  createFolder: { path: '/x' },
  createChat: { title: 'x' },
  moveFile: { from: '/a', to: '/b' },
  patchChat: { title: 'x' },
  patchWorkspace: { name: 'x' },
  putFileTags: { tags: ['x'] },
  postMessage: { content: 'hello' },
  putMember: { role: 'viewer' },
  restoreFile: { path: '/mine.txt', version: 1 },
  rewind: { to_seq: 0 },
  runTool: { args: { path: '/' } },
  stopChat: {},
}
const QUERIES: Readonly<Record<string, string>> = {
  blameFile: '?path=/mine.txt',
  deleteFile: '?path=/mine.txt',
  diffFile: '?path=/mine.txt',
  getFileContent: '?path=/mine.txt',
  getFileTags: '?path=/mine.txt',
  putFileTags: '?path=/mine.txt',
  listFileVersions: '?path=/mine.txt',
  putFileContent: '?path=/mine.txt',
}

const OF_WORKSPACE = ENDPOINTS.filter(({ access }) => access === 'workspace')

let app: RunningApp
let stranger: Awaited<ReturnType<RunningApp['addPerson']>>
let params: Readonly<Record<string, string>>

beforeAll(async () => {
  app = await startApp()
  stranger = await app.addPerson('stranger')
  const base = `/workspaces/${app.workspaceId}`
  await send(app.token, { method: 'PUT', path: `${base}/files/content?path=/mine.txt`, body: 'mine' })
  const { chat, turn_id: turnId } = await json(await send(app.token, { method: 'POST', path: `${base}/chats`, body: JSON.stringify({ goal: 'hello' }) }))
  params = { w: app.workspaceId, c: chat.id, t: turnId, user: app.userId, name: 'ls', fileId: app.userId, tag: 'x' }
})
afterAll(() => app[Symbol.asyncDispose]())

interface Request {
  readonly method: string
  readonly path: string
  readonly body?: string
}

function send(token: string, { method, path, body }: Request): Promise<Response> {
  return fetch(`${app.url}/api/v1${path}`, { method, headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) }, ...(body !== undefined && { body }) })
}

async function json(response: Response): Promise<{ chat: { id: string }; turn_id: string }> {
  return (await response.json()) as { chat: { id: string }; turn_id: string }
}

function requestOf(endpoint: Endpoint, values: Readonly<Record<string, string>>): Request {
  const body = endpoint.bodyKind === 'bytes' ? 'theirs' : endpoint.bodyKind === 'json' ? JSON.stringify(BODIES[endpoint.name] ?? {}) : undefined
  return { method: endpoint.method, path: fillPath(endpoint.path, values) + (QUERIES[endpoint.name] ?? ''), ...(body !== undefined && { body }) }
}

describe('B11: a stranger', () => {
  it('meets an API that has every endpoint', () => {
    const registered = app.container.app.routeTable.names()
    expect(ENDPOINTS.map(({ name }) => name).filter((name) => !registered.has(name))).toEqual([])
    expect(ENDPOINTS.filter(({ method, path }) => !app.container.app.hasRoute({ method, url: `/api/v1${path}` })).map(({ name }) => name)).toEqual([])
  })

  it.each(OF_WORKSPACE.map((endpoint) => [endpoint.name, endpoint] as const))('gets 404 from %s of another person', async (_name, endpoint) => {
    const response = await send(stranger.token, requestOf(endpoint, params))
    expect(await response.json()).toMatchObject({ error: { code: 'not_found', message: 'There is no such workspace.' } })
    expect(response.status).toBe(404)
  })

  it.each(OF_WORKSPACE.filter(({ path }) => /:[ct]\b/.test(path)).map((endpoint) => [endpoint.name, endpoint] as const))('gets 404 from %s with another person’s chat or turn in their own workspace', async (_name, endpoint) => {
    const response = await send(stranger.token, requestOf(endpoint, { ...params, w: stranger.workspaceId }))
    expect(await response.json()).toMatchObject({ error: { code: 'not_found' } })
    expect(response.status).toBe(404)
  })

  it.each(ENDPOINTS.filter(({ access }) => access !== 'none').map((endpoint) => [endpoint.name, endpoint] as const))('gets 401 from %s without a token', async (_name, endpoint) => {
    const { method, path, body } = requestOf(endpoint, { ...params, id: app.userId })
    const response = await fetch(`${app.url}/api/v1${path}`, { method, ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }) })
    expect(await response.json()).toMatchObject({ error: { code: 'unauthenticated' } })
    expect(response.status).toBe(401)
  })

  it('changed nothing', async () => {
    const content = await send(app.token, { method: 'GET', path: `/workspaces/${app.workspaceId}/files/content?path=/mine.txt` })
    expect(await content.text()).toBe('mine')
    const members = (await (await send(app.token, { method: 'GET', path: `/workspaces/${app.workspaceId}/members` })).json()) as { items: unknown[] }
    expect(members.items).toHaveLength(1)
    expect((await send(app.token, { method: 'GET', path: fillPath('/workspaces/:w/chats/:c', params) })).status).toBe(200)
  })
})
