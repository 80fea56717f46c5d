/** The roles of a workspace against everything that its API can do. */
import { ENDPOINTS, type Endpoint, fillPath, type Role, ROLES } from '@buildscale/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WORKSPACE_TOOLS } from '../src/tools/registry.ts'
import { type RunningApp, startApp } from './support/running-app.ts'

/** The weakest role that may use an endpoint of a workspace. One that is missing here fails the first test below. */
const NEEDS: Readonly<Record<string, Role>> = {
  getWorkspace: 'viewer',
  patchWorkspace: 'admin',
  deleteWorkspace: 'owner',
  listMembers: 'viewer',
  putMember: 'admin',
  deleteMember: 'admin',
  listFiles: 'viewer',
  getFileContent: 'viewer',
  putFileContent: 'editor',
  createFolder: 'editor',
  moveFile: 'editor',
  copyFile: 'editor',
  deleteFile: 'editor',
  listTrash: 'viewer',
  restoreTrash: 'editor',
  purgeTrash: 'admin',
  emptyTrash: 'admin',
  listFileVersions: 'viewer',
  restoreFile: 'editor',
  getFileTags: 'viewer',
  putFileTags: 'editor',
  listTags: 'viewer',
  listTagged: 'viewer',
  diffFile: 'viewer',
  blameFile: 'viewer',
  listChanges: 'viewer',
  workspaceEvents: 'viewer',
  rewind: 'editor',
  getFileLinks: 'viewer',
  searchWorkspace: 'viewer',
  importFiles: 'editor',
  exportFiles: 'viewer',
  listTools: 'viewer',
  runTool: 'viewer',
  listAgents: 'viewer',
  listSkills: 'viewer',
  createChat: 'editor',
  listChats: 'viewer',
  getChat: 'viewer',
  patchChat: 'editor',
  deleteChat: 'editor',
  listMessages: 'viewer',
  postMessage: 'editor',
  chatEvents: 'viewer',
  stopChat: 'editor',
  getContext: 'viewer',
  getTurn: 'viewer',
}

/** Requests that reach the question of the role: valid, about things that need not be there. */
const BODIES: Readonly<Record<string, unknown>> = {
  copyFile: { from: '/a', to: '/b' },
  createFolder: { path: '/x' },
  moveFile: { from: '/a', to: '/b' },
  patchChat: { title: 'x' },
  patchWorkspace: { name: 'x' },
  postMessage: { content: 'hello' },
  putFileTags: { tags: ['x'] },
  putMember: { role: 'viewer' },
  restoreFile: { path: '/a', version: 1 },
  rewind: { to_seq: 0 },
  runTool: { args: {} },
}
const QUERIES: Readonly<Record<string, string>> = {
  blameFile: '?path=/a',
  deleteFile: '?path=/a',
  diffFile: '?path=/a',
  getFileContent: '?path=/a',
  getFileLinks: '?path=/a',
  getFileTags: '?path=/a',
  listFileVersions: '?path=/a',
  putFileContent: '?path=/a',
  putFileTags: '?path=/a',
  searchWorkspace: '?q=a',
}

const OF_WORKSPACE = ENDPOINTS.filter(({ access }) => access === 'workspace')
/** Not tried by those who may: the one would end the workspace for the tests after it, streams do not end. */
const isTried = ({ name, responseKind }: Endpoint): boolean => name !== 'deleteWorkspace' && responseKind !== 'events'

let app: RunningApp
const tokens: Partial<Record<Role, string>> = {}

beforeAll(async () => {
  app = await startApp()
  for (const role of ROLES) {
    const person = await app.addPerson(role)
    await app.client.workspaces.setMember(app.workspaceId, { userId: person.userId, role })
    tokens[role] = person.token
  }
})
afterAll(() => app[Symbol.asyncDispose]())

const NOBODY = '01890000-0000-7000-8000-000000000000'

async function send(role: Role, endpoint: Endpoint, { name = 'ls', body = BODIES[endpoint.name] ?? {} }: { readonly name?: string; readonly body?: unknown } = {}): Promise<{ status: number; code: string | undefined; message: string }> {
  const params = { w: app.workspaceId, c: NOBODY, t: NOBODY, user: NOBODY, fileId: NOBODY, tag: 'x', name }
  const headers = { authorization: `Bearer ${tokens[role] ?? ''}`, ...(endpoint.bodyKind !== 'none' && { 'content-type': endpoint.bodyKind === 'json' ? 'application/json' : 'application/octet-stream' }) }
  const content = endpoint.bodyKind === 'none' ? {} : { body: endpoint.bodyKind === 'json' ? JSON.stringify(body) : 'bytes' }
  const response = await fetch(`${app.url}/api/v1${fillPath(endpoint.path, params)}${QUERIES[endpoint.name] ?? ''}`, { method: endpoint.method, headers, ...content })
  const text = await response.text()
  const parsed = text.startsWith('{') ? (JSON.parse(text) as { error?: { code: string; message: string } }) : {}
  return { status: response.status, code: parsed.error?.code, message: parsed.error?.message ?? '' }
}

const weaker = (role: Role): readonly Role[] => ROLES.slice(0, ROLES.indexOf(role))

describe('B16: a role', () => {
  it('is decided for every endpoint of a workspace', () => {
    expect(OF_WORKSPACE.map(({ name }) => name).filter((name) => !Object.hasOwn(NEEDS, name))).toEqual([])
    expect(Object.keys(NEEDS).filter((name) => !OF_WORKSPACE.some((endpoint) => endpoint.name === name))).toEqual([])
  })

  const refused = OF_WORKSPACE.flatMap((endpoint) => weaker(NEEDS[endpoint.name] ?? 'owner').map((role) => [role, endpoint.name, endpoint] as const))
  it.each(refused)('%s is refused %s, and told which role would do', async (role, _name, endpoint) => {
    const { status, code, message } = await send(role, endpoint)
    expect([status, code]).toEqual([403, 'forbidden'])
    expect(message).toMatch(/viewer|editor|admin|owner/)
  })

  const allowed = OF_WORKSPACE.filter(isTried).map((endpoint) => [NEEDS[endpoint.name] ?? 'owner', endpoint.name, endpoint] as const)
  it.each(allowed)('%s may use %s', async (role, _name, endpoint) => {
    const { status } = await send(role, endpoint)
    expect(status).not.toBe(403)
    expect(status).toBeLessThan(500)
  })

  const runTool = OF_WORKSPACE.find(({ name }) => name === 'runTool')
  it.each(WORKSPACE_TOOLS.map(({ name, effect }) => [name, effect] as const))('viewer may use the tool %s only if its effect is read (it is %s)', async (name, effect) => {
    if (runTool === undefined) throw new Error('there is no endpoint for tools')
    const { status } = await send('viewer', runTool, { name })
    expect(status).toBe(effect === 'read' ? 200 : 403)
    expect((await send('editor', runTool, { name })).status).toBe(200)
  })
})
