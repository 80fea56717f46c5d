/** What nobody may read: tokens, cookies, codes, provider keys, and the hashes of them. */
import { ENDPOINTS, fillPath } from '@buildscale/protocol'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningApp, startApp } from './support/running-app.ts'

const PROVIDER_KEY = 'sk-secret-of-a-provider'

let app: RunningApp
let secrets: readonly string[]
let params: Readonly<Record<string, string>>

beforeAll(async () => {
  app = await startApp({ env: { ANTHROPIC_API_KEY: PROVIDER_KEY } })
  const code = (await app.client.signInCode()).code
  const cookie = (await fetch(`${app.url}/api/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code }) })).headers.get('set-cookie') ?? ''
  const session = /=([^;]+)/.exec(cookie)?.[1] ?? ''
  const other = (await app.client.tokens.create({ name: 'another' })).token
  expect([code, session, other].every((secret) => secret.length > 20)).toBe(true)
  secrets = [app.token, code, session, other, PROVIDER_KEY].flatMap(withHashes)
  await app.client.files(app.workspaceId).put('/a.txt', 'a')
  const { chat, turn_id: turnId } = await app.client.chats(app.workspaceId).create({ goal: 'list /' })
  for await (const event of app.client.chats(app.workspaceId).events(chat.id, { until: 'idle' })) void event
  params = { w: app.workspaceId, c: chat.id, t: turnId ?? '', user: app.userId, name: 'ls', tag: 'x', fileId: chat.id, id: chat.id }
})
afterAll(() => app[Symbol.asyncDispose]())

/** The secret, and what a table may hold of it, in the ways in which bytes are written. */
function withHashes(secret: string): string[] {
  const hash = createHash('sha256').update(secret).digest()
  return [secret, hash.toString('hex'), hash.toString('base64'), hash.toString('base64url')]
}

const READS = ENDPOINTS.filter(({ method, responseKind }) => method === 'GET' && responseKind !== 'events')

it.each(READS.map((endpoint) => [endpoint.name, endpoint] as const))('B13: %s answers without a secret and without the hash of one', async (_name, endpoint) => {
  const query = /files\/|search/.test(endpoint.path) ? '?path=/a.txt&q=a' : ''
  const response = await fetch(`${app.url}/api/v1${fillPath(endpoint.path, params)}${query}`, { headers: { authorization: `Bearer ${app.token}` } })
  const text = `${JSON.stringify([...response.headers])}\n${await response.text()}`
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
  expect(text).not.toMatch(/"(password|secret|token_hash|session_hash|code_hash|api_key)[a-z_]*"/i)
})

it('B13: neither does the log, nor the events of a chat', async () => {
  const events: unknown[] = []
  for await (const event of app.client.chats(app.workspaceId).events(params['c'] ?? '', { until: 'idle' })) events.push(event)
  const text = `${app.logged.join('\n')}\n${JSON.stringify(events)}`
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
})
