/**
 * Two tenants on one server. One of them sends everything to everything: every endpoint and every tool, with the other's ids, guesses and ways out, in the
 * other's workspace and in her own. Nothing that the other has may ever come back: no byte, no name, no id that was not sent, and no count.
 * `FUZZ_REQUESTS=5000 FUZZ_SEED=7` sends more, or others.
 */
import { ENDPOINTS, type Endpoint, fillPath, replaceParameters } from '@buildscale/protocol'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type RunningApp, startApp } from './support/running-app.ts'
import { Random } from '../../packages/rig/test/fuzz/random.ts'
import { SchemaFuzz, type Schema } from './support/schema-fuzz.ts'

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_129)
const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 500)

/** Stands in everything that the victim has, and is never sent by the attacker. */
const MARKER = 'zanzibar'
/** Stands beside it, and is what an attacker may guess. */
const GUESS = 'treasure'

/** Requests that would end the attacker's own workspace or membership, after which nothing would be tried any more. */
const LEFT_OUT: readonly string[] = ['deleteWorkspace', 'deleteMember', 'putMember', 'deleteSession', 'createSession', 'deleteToken', 'doctor']
const MARKDOWN = (text: string): string => `---\nname: ${GUESS}\ndescription: ${text}\n---\n# ${text}\n\n[[${GUESS}]] [link](/${text}.md)\n`

type Person = Awaited<ReturnType<RunningApp['addPerson']>>

let app: RunningApp
let victim: Person
let attacker: Person
/** Ids of what the victim has: the attacker knows them. */
let known: { readonly files: readonly string[]; readonly chats: readonly string[]; readonly turns: readonly string[]; readonly messages: readonly string[] }
/** What must never be answered. */
let secrets: readonly string[]

beforeAll(async () => {
  app = await startApp()
  victim = await app.addPerson(`victim-${MARKER}`)
  attacker = await app.addPerson('attacker')
  known = await furnish(victim, MARKER)
  await furnish(attacker, 'harmless')
  const hashes = [MARKER, `${GUESS} ${MARKER}\n`].map((text) => createHash('sha256').update(text).digest('hex'))
  secrets = [MARKER, ...hashes]
}, 120_000)
afterAll(() => app[Symbol.asyncDispose]())

/** A bit of everything: files with versions, trash, tags, plans, memories, agents, skills, a chat with turns. */
async function furnish({ client, workspaceId, userId }: Person, word: string) {
  const files = client.files(workspaceId)
  const contents: Readonly<Record<string, string>> = {
    [`/${word}.md`]: MARKDOWN(word),
    [`/docs/${word}.txt`]: `${GUESS} ${word}\n`,
    [`/docs/deep/${word}/notes.txt`]: word,
    [`/system/agents/${GUESS}/AGENT.md`]: MARKDOWN(word),
    [`/system/skills/${GUESS}/SKILL.md`]: MARKDOWN(word),
    [`/plans/${GUESS}.plan`]: `---\ntitle: ${word}\nstatus: draft\n---\n- [ ] ${word}\n`,
    [`/memories/${GUESS}/${word}.md`]: `---\ntitle: ${word}\ntags: [${word}]\n---\n${word}\n`,
    [`/users/${userId}/memories/${GUESS}/${word}.md`]: `---\ntitle: ${word}\n---\n${word}\n`,
  }
  for (const [path, content] of Object.entries(contents)) await files.put(path, content)
  await files.put('/docs/changed.txt', `one ${word}`)
  await files.put('/docs/changed.txt', `two ${word}`)
  await files.setTags('/docs/changed.txt', [word, GUESS])
  await files.put(`/removed-${word}.txt`, word)
  await files.remove(`/removed-${word}.txt`)
  const chats = client.chats(workspaceId)
  const { chat, turn_id: turnId } = await chats.create({ goal: `list / and tell ${word}`, title: word })
  for await (const event of chats.events(chat.id, { until: 'idle' })) void event
  const entries = (await files.list('/', { recursive: true })).items
  const trash = (await client.trash(workspaceId).list()).items
  const messages = (await chats.messages(chat.id)).items
  return { files: [...entries, ...trash].map(({ id }) => id), chats: [chat.id], turns: turnId === null || turnId === undefined ? [] : [turnId], messages: messages.map(({ id }) => id) }
}

const random = new Random(SEED)
const fuzz = new SchemaFuzz({ random, texts: (name) => textsFor(name) })

/** What the attacker tries for a property, by its name. */
function textsFor(name: string): readonly string[] {
  const victimFolder = join(app.dataDir, 'workspaces', victim.workspaceId)
  const ids = [victim.workspaceId, victim.userId, ...known.files, ...known.chats, ...known.turns, ...known.messages]
  const ways = ['/', '/docs', '/docs/changed.txt', '.', `../${victim.workspaceId}/docs`, `/../${victim.workspaceId}`, victimFolder, `${victimFolder}/docs`, `/users/${victim.userId}/memories`, `/memories/${GUESS}`, '/system']
  const guesses = [GUESS, 'z', `${GUESS}.*`, '[a-z]+', '*', '**/*', '.', '%', '_', '\\w+', ...ids.slice(0, 4)]
  switch (name) {
    case 'command':
      return [`cat ${victimFolder}/docs/changed.txt`, `ls -laR ${victimFolder}`, `grep -r ${GUESS} / ../.. ${app.dataDir}`, 'find / -name "*"', `cd ${app.dataDir} && ls`, 'env; cat /proc/self/environ', `ln -s ${victimFolder} /x; ls /x/`]
    case 'url':
      return [`${app.url}/api/v1/workspaces/${victim.workspaceId}/files`, `file://${victimFolder}/docs/changed.txt`, 'http://127.0.0.1/', 'http://169.254.169.254/latest/meta-data/']
    case 'patch':
      return [`--- a/../${victim.workspaceId}/docs/changed.txt\n+++ b/docs/changed.txt\n@@ -1 +1 @@\n-x\n+y\n`, `--- a/docs/changed.txt\n+++ b/docs/changed.txt\n@@ -1 +1 @@\n-two\n+three\n`]
    case 'cursor':
      return ['', 'x', Buffer.from(JSON.stringify(['/'])).toString('base64url'), Buffer.from(JSON.stringify(['file', 'a'])).toString('base64url'), known.files[0] ?? '']
    case 'after':
    case 'limit':
    case 'version':
    case 'from_version':
    case 'offset':
      return ['0', '1', '2', '1000', '999999']
    default:
      return /path|from|to|source|destination|cwd|folder|paths/.test(name) ? [...ways, ...guesses] : [...guesses, ...ids, ...ways]
  }
}

interface Sent {
  readonly what: string
  readonly method: string
  readonly path: string
  readonly body?: string
}

const TOOLS_ENDPOINT = ENDPOINTS.find(({ name }) => name === 'runTool')

/** One request of the attacker to `endpoint`; half of them into the victim's workspace. */
function requestTo(endpoint: Endpoint, tools: readonly { name: string; parameters: Schema }[]): Sent {
  const workspace = fuzz.pick([victim.workspaceId, attacker.workspaceId, attacker.workspaceId])
  const params: Record<string, string> = {}
  replaceParameters(endpoint.path, (name) => {
    params[name] = name === 'w' ? workspace : fuzz.pick(idsFor(name))
    return ''
  })
  const tool = endpoint === TOOLS_ENDPOINT ? fuzz.pick(tools) : undefined
  if (tool !== undefined) params['name'] = tool.name
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(generated(endpoint.query))) if (value !== null) query.set(name, String(value))
  const body = endpoint.bodyKind === 'json' ? JSON.stringify(tool === undefined ? generated(endpoint.body) : { args: fuzz.value(tool.parameters, 'args') }) : endpoint.bodyKind === 'bytes' ? 'mine' : undefined
  const path = `${fillPath(endpoint.path, params)}${query.size === 0 ? '' : `?${query.toString()}`}`
  return { what: tool?.name ?? endpoint.name, method: endpoint.method, path, ...(body !== undefined && { body }) }
}

function idsFor(name: string): readonly string[] {
  switch (name) {
    case 'c':
      return known.chats
    case 't':
      return known.turns
    case 'fileId':
      return known.files
    case 'user':
      return [victim.userId]
    case 'tag':
      return [GUESS]
    default:
      return [...known.files, GUESS]
  }
}

function generated(schema: z.ZodType): Record<string, unknown> {
  const value = fuzz.value(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema, '')
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Status line, headers and body, whatever the kind of answer; of a stream, what comes at once. */
async function answerTo({ method, path, body }: Sent, token = attacker.token): Promise<{ status: number; text: string }> {
  const isJson = body?.startsWith('{') === true
  const response = await fetch(`${app.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': isJson ? 'application/json' : 'application/octet-stream' }) },
    ...(body !== undefined && { body }),
  })
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n')
  return { status: response.status, text: `${headers}\n${await bodyOf(response)}` }
}

async function bodyOf(response: Response): Promise<string> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) return await response.text()
  let text = ''
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  const timer = setTimeout(() => void reader?.cancel(), 200)
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) text += next.value
  clearTimeout(timer)
  return text
}

/** Everything of the victim's that a change would show in. */
async function stateOf({ client, workspaceId }: Person): Promise<unknown> {
  const { change_seq, stored_bytes } = await client.workspaces.get(workspaceId)
  const entries = (await client.files(workspaceId).list('/', { recursive: true, limit: 1000 })).items
  const chats = (await client.chats(workspaceId).list()).items
  return { change_seq, stored_bytes, entries, chats, trash: (await client.trash(workspaceId).list()).items, tags: (await client.tags(workspaceId).list()).items }
}

async function toolsOf({ client, workspaceId }: Person): Promise<{ name: string; parameters: Schema }[]> {
  return (await client.tools(workspaceId).list()).items.map(({ name, parameters }) => ({ name, parameters }))
}

describe('a tenant who sends everything to everything', () => {
  it(`learns nothing of another one and changes nothing of theirs (${REQUESTS} requests, seed ${SEED})`, { timeout: 60_000 + REQUESTS * 1_000 }, async () => {
    const before = await stateOf(victim)
    const tools = await toolsOf(attacker)
    const endpoints = ENDPOINTS.filter(({ access, name }) => access !== 'none' && !LEFT_OUT.includes(name))
    const tried = new Set<string>()
    let everSaid = ''
    for (let index = 0; index < REQUESTS; index += 1) {
      // Each once at least, then at random; tools as often as all other endpoints together.
      const endpoint = index < endpoints.length ? endpoints[index] : random.oneIn(2) ? TOOLS_ENDPOINT : fuzz.pick(endpoints)
      const sent = requestTo(endpoint ?? fuzz.pick(endpoints), tools)
      const { status, text } = await answerTo(sent)
      tried.add(sent.what)
      const said = `${sent.method} ${sent.path} ${sent.body ?? ''}`
      everSaid += said
      expect(status, said).not.toBe(500)
      if (sent.path.startsWith(`/workspaces/${victim.workspaceId}`)) expect([status, text.includes('There is no such workspace.') || text.includes('There is no such thing')], said).toEqual([404, true])
      expect(secrets.filter((secret) => text.includes(secret)), `${said}\n${text.slice(0, 2_000)}`).toEqual([])
      expect(known.files.filter((id) => text.includes(id) && !everSaid.includes(id)), `${said}\n${text.slice(0, 2_000)}`).toEqual([])
    }
    const untried = [...endpoints.filter((endpoint) => endpoint !== TOOLS_ENDPOINT).map(({ name }) => name), ...(REQUESTS >= 500 ? tools.map(({ name }) => name) : [])].filter((name) => !tried.has(name))
    expect(untried).toEqual([])
    expect(await stateOf(victim)).toEqual(before)
  })

  it('sees no count change when another one is busy: every list and every reading tool answers the same before and after', { timeout: 60_000 }, async () => {
    const quiet = await readings()
    for (let index = 0; index < 20; index += 1) await victim.client.files(victim.workspaceId).put(`/docs/more-${index}.md`, `${GUESS} ${MARKER} ${index}`)
    await victim.client.chats(victim.workspaceId).create({ title: `another ${MARKER}` })
    expect(await readings()).toEqual(quiet)
  })
})

/** What a tenant reads of her own workspace, without times that pass and ids of requests. */
async function readings(): Promise<Record<string, unknown>> {
  const w = attacker.workspaceId
  const lists = ['/me', '/workspaces', `/workspaces/${w}`, `/workspaces/${w}/files?recursive=true`, `/workspaces/${w}/chats`, `/workspaces/${w}/trash`, `/workspaces/${w}/tags`, `/workspaces/${w}/members`]
  const read: Record<string, unknown> = {}
  for (const path of lists) read[path] = await (await fetch(`${app.url}/api/v1${path}`, { headers: { authorization: `Bearer ${attacker.token}` } })).json()
  const calls: readonly [string, object][] = [['ls', { recursive: true, limit: 0 }], ['glob', { pattern: '**/*', limit: 0 }], ['grep', { pattern: GUESS, limit: 0 }]]
  for (const [tool, args] of calls) read[tool] = await attacker.client.tools(w).run(tool, args)
  return read
}
