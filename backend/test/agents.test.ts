import type { SseEvent } from '@buildscale/protocol'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TOOL_NAMES } from '../src/tools/registry.ts'
import { type RunningApp, startApp } from './support/running-app.ts'

const SCRIPT = {
  turns: [
    { when: { last_user: 'use the skill', step: 0 }, times: 'always', calls: [{ name: 'read', arguments: { path: '/system/skills/style/SKILL.md' } }] },
    { when: { last_user: 'use the skill', step: 1 }, times: 'always', text: 'Read.' },
    { when: { last_user: 'use both', step: 0 }, times: 'always', calls: [{ name: 'read_multiple_files', arguments: { paths: ['/system/skills/style/SKILL.md', '/system/skills/gone/SKILL.md', '/system/skills/other/SKILL.md'] } }] },
    { when: { last_user: 'use both', step: 1 }, times: 'always', text: 'Read.' },
    { when: { last_user: 'only look', step: 0 }, times: 'always', calls: [{ name: 'file_info', arguments: { path: '/system/skills/style/SKILL.md' } }] },
    { when: { last_user: 'only look', step: 1 }, times: 'always', text: 'Seen.' },
    { when: { last_user: 'write anyway', step: 0 }, times: 'always', calls: [{ name: 'write', arguments: { path: '/forbidden.txt', content: 'x' } }] },
    { when: { last_user: 'write anyway', step: 1 }, times: 'always', text: 'It did not work.' },
    { when: { last_user: 'two slow steps', step: 0 }, times: 'always', calls: [{ name: 'ls', arguments: { path: '/' } }], delay_ms: 700 },
    { when: { last_user: 'two slow steps', step: 1 }, times: 'always', text: 'Done.' },
    { when: { last_user: 'slow' }, times: 'always', text: 'Took a while.', delay_ms: 900 },
    { when: { last_user: 'minutes', step: 0 }, times: 'always', calls: [{ name: 'write', arguments: { path: '/minutes/today.md', content: '# Decided' } }] },
    { when: { last_user: 'minutes', step: 1 }, times: 'always', text: 'Written.' },
    { times: 'always', text: 'Answer.' },
  ],
}

let app: RunningApp
beforeAll(async () => {
  app = await startApp({ script: SCRIPT })
})
afterAll(() => app[Symbol.asyncDispose]())

interface Tenant {
  readonly client: RunningApp['client']
  readonly workspaceId: string
  put(path: string, text: string): Promise<void>
  ask(goal: string, agent?: string): Promise<{ chatId: string; turnId: string; events: SseEvent[] }>
  eventsOf(chatId: string): Promise<SseEvent[]>
}

/** A person with a workspace of their own, so that no test sees another one's files. */
async function tenant(): Promise<Tenant> {
  const { client, workspaceId } = await app.addPerson('ada')
  const eventsOf = async (chatId: string): Promise<SseEvent[]> => {
    const events: SseEvent[] = []
    for await (const event of client.chats(workspaceId).events(chatId, { until: 'idle' })) events.push(event)
    return events.filter((event) => event.id !== null)
  }
  return {
    client,
    workspaceId,
    eventsOf,
    put: async (path, text) => void (await client.files(workspaceId).put(path, text)),
    ask: async (goal, agent) => {
      const { chat, turn_id: turnId } = await client.chats(workspaceId).create({ goal, ...(agent !== undefined && { agent }) })
      return { chatId: chat.id, turnId: turnId ?? '', events: await eventsOf(chat.id) }
    },
  }
}

interface ModelRequest {
  readonly instructions?: string
  readonly model: string
  readonly temperature?: number
  readonly tools?: readonly { readonly name: string }[]
  readonly input: unknown
}

/** The last question to the chat model; vectors for the search are asked of the same server. */
const lastRequest = (): ModelRequest => app.model.requests().map(({ body }) => body as ModelRequest).findLast(({ instructions }) => instructions !== undefined) ?? { model: '', input: '' }

const SCRIBE = '---\ndescription: Writes.\ntools: [ls, read]\ntemperature: 0.3\nmodel: openai:scribe-1\n---\n\nYou are the scribe.\n'
const skill = (name: string, description = `Does ${name}.`) => `---\nname: ${name}\ndescription: ${description}\n---\n\n# How ${name} is done\n`

describe('an agent that a file defines', () => {
  it('answers with its persona, its model, its temperature and exactly its tools', async () => {
    const ada = await tenant()
    await ada.put('/system/agents/scribe/AGENT.md', SCRIBE)
    const { turnId, chatId, events } = await ada.ask('hello', 'scribe')
    expect(events.at(-1)).toMatchObject({ type: 'done', data: { model: 'openai:scribe-1' } })
    const request = lastRequest()
    expect(JSON.stringify(request)).toContain('You are the scribe.')
    expect(request).toMatchObject({ model: 'scribe-1', temperature: 0.3 })
    expect(request.tools?.map((tool) => tool.name)).toEqual(['ls', 'read'])
    expect(await ada.client.chats(ada.workspaceId).turn(turnId)).toMatchObject({ agent: { name: 'scribe', path: '/system/agents/scribe/AGENT.md', version: 1 }, skills: [] })
    expect(await ada.client.chats(ada.workspaceId).get(chatId)).toMatchObject({ agent: 'scribe', model: 'openai:scribe-1' })
  })

  it('gives way to a model that the person chose, and is followed by a chat where nobody chose one', async () => {
    const ada = await tenant()
    await ada.put('/system/agents/scribe/AGENT.md', SCRIBE)
    const chats = ada.client.chats(ada.workspaceId)
    const { chat: chosen } = await chats.create({ goal: 'hello', agent: 'scribe', model: 'openai:mine' })
    expect((await ada.eventsOf(chosen.id)).at(-1)).toMatchObject({ data: { model: 'openai:mine' } })
    const { chat: open } = await chats.create({ agent: 'scribe' })
    await ada.put('/system/agents/scribe/AGENT.md', SCRIBE.replace('scribe-1', 'scribe-2'))
    await chats.send(open.id, { content: 'hello' })
    expect((await ada.eventsOf(open.id)).at(-1)).toMatchObject({ data: { model: 'openai:scribe-2' } })
    expect((await chats.get(open.id)).model).toBe('openai:scribe-2')
    expect((await chats.update(open.id, { agent: 'assistant' })).model).toBe('openai:gpt-4o')
    expect((await chats.update(open.id, { model: 'openai:mine', agent: 'scribe' })).model).toBe('openai:mine')
    expect((await chats.update(open.id, { agent: 'assistant' })).model).toBe('openai:mine')
  })

  it('takes the place of the built-in one of its name', async () => {
    const ada = await tenant()
    expect((await ada.client.agents(ada.workspaceId).list()).items.map(({ name, source, tools }) => [name, source, tools.length > 0])).toEqual(['assistant', 'planner', 'builder', 'reviewer'].map((name) => [name, 'built-in', true]))
    await ada.put('/system/agents/assistant/AGENT.md', '---\ndescription: Ours.\n---\nYou are ours.')
    expect((await ada.client.agents(ada.workspaceId).list()).items[0]).toMatchObject({ name: 'assistant', source: 'file', description: 'Ours.', version: 1, tools: TOOL_NAMES })
    await ada.ask('hello')
    expect(JSON.stringify(lastRequest())).toContain('You are ours.')
    await ada.client.files(ada.workspaceId).remove('/system/agents/assistant/AGENT.md')
    await ada.ask('hello')
    expect(JSON.stringify(lastRequest())).toContain('You are the assistant of a BuildScale workspace')
  })

  it('cannot call a tool that it does not have, even when the model tries', async () => {
    const ada = await tenant()
    const { turnId, events } = await ada.ask('write anyway', 'reviewer')
    const { tool_calls: calls } = await ada.client.chats(ada.workspaceId).turn(turnId)
    expect(calls).toMatchObject([{ tool: 'write', status: 'failed' }])
    expect(JSON.stringify(calls[0]?.output)).toMatch(/no tool|unknown tool|not found/i)
    expect(events.some((event) => event.type === 'file_updated')).toBe(false)
    await expect(ada.client.files(ada.workspaceId).list('/forbidden.txt')).rejects.toMatchObject({ code: 'not_found' })
  })

  it('of the documentation works as it stands there', async () => {
    const ada = await tenant()
    const page = readFileSync(new URL('../../docs/agents-and-skills.md', import.meta.url), 'utf8')
    const example = /<!-- example[^>]*-->\n```markdown\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
    await ada.put('/system/agents/minutes/AGENT.md', example)
    const { items } = await ada.client.agents(ada.workspaceId).list()
    expect(items.at(-1)).toMatchObject({ name: 'minutes', errors: [], warnings: [], tools: ['ls', 'read', 'write'], temperature: 0.2, max_steps: 20 })
    const { events } = await ada.ask('minutes please', 'minutes')
    expect(events.flatMap((event) => (event.type === 'file_updated' ? [event.data.path] : []))).toContain('/minutes/today.md')
  })
})

describe('a broken agent', () => {
  const BROKEN = '---\ndescription: Writes.\ntools: [raed]\n---\nYou write.'

  it('is listed with its faults beside the good ones, and refused by path and line where somebody chooses it', async () => {
    const ada = await tenant()
    await ada.put('/system/agents/scribe/AGENT.md', BROKEN)
    await ada.put('/system/agents/good/AGENT.md', SCRIBE)
    const { items } = await ada.client.agents(ada.workspaceId).list()
    expect(items.map(({ name, errors }) => [name, errors.map(({ line }) => line)])).toEqual([['assistant', []], ['planner', []], ['builder', []], ['reviewer', []], ['good', []], ['scribe', [3]]])
    const refusal = { code: 'unprocessable', status: 422, message: expect.stringContaining('/system/agents/scribe/AGENT.md, line 3: There is no tool "raed".') as string }
    const chats = ada.client.chats(ada.workspaceId)
    await expect(chats.create({ agent: 'scribe' })).rejects.toMatchObject(refusal)
    const { chat } = await chats.create()
    await expect(chats.update(chat.id, { agent: 'scribe' })).rejects.toMatchObject(refusal)
    expect((await chats.get(chat.id)).agent).toBe('assistant')
  })

  it('that broke after its turn was queued ends the turn with one error that says file and line', async () => {
    const ada = await tenant()
    await ada.put('/system/agents/scribe/AGENT.md', SCRIBE)
    const chats = ada.client.chats(ada.workspaceId)
    const { chat } = await chats.create({ goal: 'slow please', agent: 'scribe' })
    await chats.send(chat.id, { content: 'and then?' })
    await sleep(300)
    await ada.put('/system/agents/scribe/AGENT.md', BROKEN)
    const events = await ada.eventsOf(chat.id)
    expect(events.filter((event) => ['done', 'error', 'stopped'].includes(event.type)).map((event) => event.type)).toEqual(['done', 'error'])
    expect(events.at(-1)).toMatchObject({ type: 'error', data: { code: 'unprocessable', message: expect.stringContaining('/system/agents/scribe/AGENT.md, line 3') as string } })
    await expect(chats.context(chat.id)).rejects.toMatchObject({ code: 'unprocessable' })
  })

  it('that was removed after its turn was queued ends the turn with an error that names what there is', async () => {
    const ada = await tenant()
    await ada.put('/system/agents/scribe/AGENT.md', SCRIBE)
    const { chat } = await ada.client.chats(ada.workspaceId).create({ agent: 'scribe' })
    await ada.client.files(ada.workspaceId).remove('/system/agents/scribe')
    await ada.client.chats(ada.workspaceId).send(chat.id, { content: 'hello' })
    expect((await ada.eventsOf(chat.id)).at(-1)).toMatchObject({ type: 'error', data: { message: expect.stringContaining('There is no agent "scribe"') as string } })
  })

  it('is stored as it was sent, whatever it says, and the answer says what is wrong', async () => {
    const ada = await tenant()
    const bytes = Buffer.from([0x2d, 0x2d, 0x2d, 0x0a, 0xff, 0xfe, 0x00])
    const files = ada.client.files(ada.workspaceId)
    const stored = await files.put('/system/agents/scribe/AGENT.md', bytes)
    expect(stored).toMatchObject({ version: { size: 7 }, definition: { errors: [{ line: 1, message: 'The file is not UTF-8 text.' }] } })
    expect(Buffer.from(await (await files.content('/system/agents/scribe/AGENT.md')).bytes())).toEqual(bytes)
    expect(await files.put('/system/agents/good/AGENT.md', SCRIBE)).toMatchObject({ definition: { errors: [], warnings: [] } })
    expect(await files.put('/system/agents/good/notes.md', 'x')).not.toHaveProperty('definition')
    expect(await files.put('/system/skills/style/skill.md', skill('style'))).toMatchObject({ definition: { errors: [{ line: 1, message: 'The file must be named SKILL.md, in this case of letters.' }] } })
    await files.remove('/system/agents/good')
    expect((await ada.client.agents(ada.workspaceId).list()).items.at(-1)?.errors).toMatchObject([{ line: 1, message: 'The file is not UTF-8 text.' }])
  })
})

describe('an agent that nobody has', () => {
  it('is refused with names that are like it', async () => {
    const ada = await tenant()
    await expect(ada.client.chats(ada.workspaceId).create({ agent: 'planer' })).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining('Did you mean "planner"?') as string })
  })

  it('is the agent of another tenant too: names, faults and texts stay with their workspace', async () => {
    const [ada, eve] = [await tenant(), await tenant()]
    await ada.put('/system/agents/secret-scribe/AGENT.md', SCRIBE)
    await ada.put('/system/skills/secret-style/SKILL.md', skill('secret-style'))
    expect(JSON.stringify(await eve.client.agents(eve.workspaceId).list())).not.toContain('secret')
    expect((await eve.client.agents(eve.workspaceId).skills()).items).toEqual([])
    await expect(eve.client.agents(ada.workspaceId).list()).rejects.toMatchObject({ code: 'not_found' })
    const refused: unknown = await eve.client.chats(eve.workspaceId).create({ agent: 'secret-scribes' }).catch((error: unknown) => error)
    expect(String(refused)).not.toContain('"secret-scribe"')
    const { events } = await eve.ask('/secret-style please')
    expect(events.at(-1)?.type).toBe('done')
    expect(JSON.stringify(lastRequest())).not.toContain('How secret-style is done')
  })
})

describe('skills', () => {
  it('are told to the agent in a line each, without their text, in the same bytes until a definition changes', async () => {
    const ada = await tenant()
    await ada.put('/system/skills/style/SKILL.md', skill('style', 'Says how we write.\n  Use it for every text.'))
    await ada.put('/system/skills/audit/SKILL.md', skill('audit'))
    await ada.ask('hello')
    const first = lastRequest()
    const preamble = JSON.stringify(first)
    expect(preamble).toContain('- audit (/system/skills/audit/SKILL.md): Does audit.\\n- style (/system/skills/style/SKILL.md): Says how we write. Use it for every text.')
    expect(preamble).not.toContain('How style is done')
    await ada.put('/unrelated.md', 'x')
    await ada.put('/system/skills/style/reference.md', 'more')
    await ada.ask('hello')
    const { instructions } = lastRequest()
    expect(instructions).toContain('Does audit.')
    expect(instructions).toBe(first.instructions)
  })

  it('are read when they are needed, and the turn says which version was', async () => {
    const ada = await tenant()
    await ada.put('/system/skills/style/SKILL.md', skill('style'))
    await ada.put('/system/skills/other/SKILL.md', skill('other'))
    const { turnId } = await ada.ask('use the skill')
    const expected = [{ name: 'other', version: 1, read_version: null }, { name: 'style', version: 1, read_version: 1 }]
    expect((await ada.client.chats(ada.workspaceId).turn(turnId)).skills).toMatchObject(expected)
    await ada.put('/system/skills/style/SKILL.md', skill('style', 'Another.'))
    await ada.client.files(ada.workspaceId).remove('/system/skills/other')
    expect((await ada.client.chats(ada.workspaceId).turn(turnId)).skills).toMatchObject(expected)
  })

  it('count as read with every tool that shows their text, and not with one that only looks', async () => {
    const ada = await tenant()
    await ada.put('/system/skills/style/SKILL.md', skill('style'))
    await ada.put('/system/skills/other/SKILL.md', skill('other'))
    const readVersions = async (goal: string) => (await ada.client.chats(ada.workspaceId).turn((await ada.ask(goal)).turnId)).skills.map((used) => used.read_version)
    expect(await readVersions('use both')).toEqual([1, 1])
    expect(await readVersions('only look')).toEqual([null, null])
  })

  it('come along with a message that begins with their name', async () => {
    const ada = await tenant()
    await ada.put('/system/skills/style/SKILL.md', skill('style'))
    const { turnId, chatId } = await ada.ask('/style this text')
    expect(JSON.stringify(lastRequest())).toContain('How style is done')
    expect((await ada.client.chats(ada.workspaceId).turn(turnId)).skills).toMatchObject([{ name: 'style', read_version: 1 }])
    const [question] = (await ada.client.chats(ada.workspaceId).messages(chatId)).items
    expect(question?.parts).toMatchObject([{ type: 'file', path: '/system/skills/style/SKILL.md', version: 1 }, { type: 'text', text: '/style this text' }])
  })

  it('come along also with an agent that is not offered them, and too large ones are named instead', async () => {
    const ada = await tenant()
    await ada.put('/system/skills/style/SKILL.md', skill('style'))
    await ada.put('/system/skills/tome/SKILL.md', skill('tome') + 'word '.repeat(60_000))
    await ada.put('/system/agents/bare/AGENT.md', '---\ndescription: d\ntools: []\nskills: []\n---\nYou only talk.')
    const { turnId } = await ada.ask('/style this text', 'bare')
    expect(JSON.stringify(lastRequest())).toContain('How style is done')
    expect(lastRequest().tools ?? []).toEqual([])
    expect((await ada.client.chats(ada.workspaceId).turn(turnId)).skills).toEqual([{ name: 'style', path: '/system/skills/style/SKILL.md', version: 1, read_version: 1 }])
    const { events } = await ada.ask('/tome please')
    expect(events.at(-1)?.type).toBe('done')
    expect(JSON.stringify(lastRequest())).toContain('The person names the skill \\"tome\\": read /system/skills/tome/SKILL.md first.')
  })

  it('that are broken stop no turn: they are not offered, and who names one is told', async () => {
    const ada = await tenant()
    await ada.put('/system/skills/style/SKILL.md', '---\nname: style\n---\nx')
    await ada.put('/system/skills/audit/SKILL.md', skill('audit'))
    expect((await ada.client.agents(ada.workspaceId).skills()).items).toMatchObject([{ name: 'audit', errors: [] }, { name: 'style', errors: [{ line: 2 }] }])
    const { events, turnId } = await ada.ask('/style this text')
    expect(events.at(-1)?.type).toBe('done')
    expect(JSON.stringify(lastRequest())).toContain('/system/skills/style/SKILL.md, line 2')
    expect((await ada.client.chats(ada.workspaceId).turn(turnId)).skills.map(({ name }) => name)).toEqual(['audit'])
  })

  it('are offered as the agent file says, and to no agent that cannot read', async () => {
    const ada = await tenant()
    for (const name of ['style', 'audit', 'cook']) await ada.put(`/system/skills/${name}/SKILL.md`, skill(name))
    await ada.put('/system/agents/some/AGENT.md', '---\ndescription: d\nskills: [style, stile]\n---\np')
    await ada.put('/system/agents/none/AGENT.md', '---\ndescription: d\nskills: []\n---\np')
    await ada.put('/system/agents/blind/AGENT.md', '---\ndescription: d\ntools: [ls]\n---\np')
    const offered = async (agent: string) => {
      const { turnId } = await ada.ask('hello', agent)
      return (await ada.client.chats(ada.workspaceId).turn(turnId)).skills.map(({ name }) => name)
    }
    expect([await offered('some'), await offered('none'), await offered('blind'), await offered('assistant')]).toEqual([['style'], [], [], ['audit', 'cook', 'style']])
    const { items } = await ada.client.agents(ada.workspaceId).list()
    expect(items.find(({ name }) => name === 'some')?.warnings).toMatchObject([{ line: 3, message: expect.stringContaining('There is no skill "stile"') as string }])
  })

  it('are shown with the context that the model would receive', async () => {
    const ada = await tenant()
    await ada.put('/system/skills/style/SKILL.md', skill('style'))
    const { chat } = await ada.client.chats(ada.workspaceId).create({ agent: 'reviewer' })
    const context = await ada.client.chats(ada.workspaceId).context(chat.id)
    expect(context).toMatchObject({ agent: { name: 'reviewer', path: null, version: null }, skills: [{ name: 'style', version: 1 }] })
    expect(context.preamble).toContain('- style (/system/skills/style/SKILL.md): Does style.')
    expect(context.parts.map((part) => part.key)).toContain('active_skill:style')
    expect(context.tools.map((tool) => tool.name)).not.toContain('write')
  })
})

describe('a turn', () => {
  it('goes on with the definition that it began with when the file is edited meanwhile', async () => {
    const ada = await tenant()
    await ada.put('/system/agents/scribe/AGENT.md', SCRIBE)
    const chats = ada.client.chats(ada.workspaceId)
    const { chat, turn_id: turnId } = await chats.create({ goal: 'two slow steps', agent: 'scribe' })
    await sleep(300)
    await ada.put('/system/agents/scribe/AGENT.md', SCRIBE.replace('the scribe', 'somebody else').replace('[ls, read]', '[read]'))
    expect((await ada.eventsOf(chat.id)).at(-1)?.type).toBe('done')
    expect(JSON.stringify(lastRequest())).toContain('You are the scribe.')
    const turn = await chats.turn(turnId ?? '')
    expect(turn).toMatchObject({ agent: { version: 1 }, tool_calls: [{ tool: 'ls', status: 'ok' }] })
    await chats.send(chat.id, { content: 'hello' })
    await ada.eventsOf(chat.id)
    expect(JSON.stringify(lastRequest())).toContain('You are somebody else.')
    expect((await chats.turn(turnId ?? '')).agent.version).toBe(1)
  })
})
