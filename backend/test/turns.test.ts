import type { SseEvent } from '@buildscale/protocol'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TOOL_NAMES } from '../src/tools/registry.ts'
import { type RunningApp, startApp } from './support/running-app.ts'

const SCRIPT = {
  turns: [
    { when: { last_user: 'two calls', step: 0 }, times: 'always', reasoning: 'Both at once.', text: 'Writing two. ', calls: [{ name: 'write', arguments: { path: '/a.txt', content: 'A' } }, { name: 'write', arguments: { path: '/b.txt', content: 'B' } }] },
    { when: { last_user: 'two calls', step: 1 }, times: 'always', text: 'Both are written.' },
    { when: { last_user: 'slow' }, times: 'always', text: 'This answer takes its time and is cut off somewhere in the middle of it.', event_delay_ms: 60 },
    { when: { last_user: 'bad calls', step: 0 }, times: 'always', calls: [{ name: 'no_such_tool', arguments: {} }, { name: 'read', arguments: '{"path": ' }, { name: 'read', arguments: { path: '/missing.txt' } }] },
    { when: { last_user: 'bad calls', step: 1 }, times: 'always', text: 'None of them worked.' },
    { when: { last_user: 'breaks once' }, times: 1, text: 'This never arrives whole because the line breaks.', cut_after_events: 8 },
    { when: { last_user: 'breaks once' }, times: 'always', text: 'The second attempt arrives.' },
    { when: { last_user: 'refused' }, times: 'always', http_error: { status: 401, code: 'invalid_api_key', message: 'Incorrect API key provided.' } },
    { when: { last_user: 'slow tool', step: 0 }, times: 'always', calls: [{ name: 'ls', arguments: { path: '/' } }, { name: 'write', arguments: { path: '/later.txt', content: 'x' } }], delay_ms: 300 },
    { when: { last_user: 'slow tool', step: 1 }, times: 'always', text: 'Listed.', delay_ms: 3000 },
    { times: 'always', text: 'Answer to your message.', delay_ms: 40 },
  ],
}

let app: RunningApp
beforeAll(async () => {
  app = await startApp({ script: SCRIPT })
})
afterAll(() => app[Symbol.asyncDispose]())

const chats = () => app.client.chats(app.workspaceId)

async function eventsOf(chatId: string): Promise<SseEvent[]> {
  const events: SseEvent[] = []
  for await (const event of chats().events(chatId, { until: 'idle' })) events.push(event)
  return events.filter((event) => event.id !== null)
}

async function ask(goal: string): Promise<{ chatId: string; turnId: string; events: SseEvent[] }> {
  const { chat, turn_id: turnId } = await chats().create({ goal })
  return { chatId: chat.id, turnId: turnId ?? '', events: await eventsOf(chat.id) }
}

const types = (events: readonly SseEvent[]): string[] => events.map((event) => event.type).filter((type, index, all) => type !== all[index - 1])

describe('a turn', () => {
  it('shows reasoning, text, calls, results and its end, in the order of their commits', async () => {
    const { events } = await ask('two calls please')
    expect(types(events)).toEqual(['message', 'turn_started', 'thought', 'chunk', 'call', 'usage', 'file_updated', 'observation', 'file_updated', 'observation', 'chunk', 'usage', 'done'])
  })

  it('is told the same by events, messages and the turn itself', async () => {
    const { chatId, turnId, events } = await ask('two calls please')
    const turn = await chats().turn(turnId)
    const { items } = await chats().messages(chatId)
    const calls = events.flatMap((event) => (event.type === 'call' ? [event.data.call_id] : []))
    expect(turn.tool_calls.map((call) => call.call_id)).toEqual(calls)
    const observed = events.flatMap((event) => (event.type === 'observation' ? [[event.data.call_id, event.data.output]] : []))
    expect(turn.tool_calls.map((call) => [call.call_id, call.output])).toEqual(observed)
    const answer = items.at(-1)
    expect(answer).toMatchObject({ role: 'assistant', status: 'complete', turn_id: turnId, usage: turn.usage })
    expect(answer?.parts.map((part) => part.type)).toEqual(['reasoning', 'text', 'tool_call', 'tool_call', 'text'])
    for (const part of answer?.parts ?? []) {
      if (part.type !== 'text' && part.type !== 'reasoning') continue
      const deltas = events.flatMap((event) => ((event.type === 'chunk' || event.type === 'thought') && event.data.part_id === part.id ? [event.data.text] : []))
      expect(deltas.join('')).toBe(part.text)
    }
    expect(events.at(-1)).toMatchObject({ type: 'done', data: { message_id: answer?.id, usage: turn.usage } })
  })

  it('can follow a turn with two calls in one step: the wire accepts the history', async () => {
    const { chatId } = await ask('two calls please')
    await chats().send(chatId, { content: 'and now?' })
    const events = await eventsOf(chatId)
    expect(events.filter((event) => event.type === 'done')).toHaveLength(2)
    expect((await chats().messages(chatId)).items.at(-1)?.parts).toMatchObject([{ type: 'text', text: 'Answer to your message.' }])
  })

  it('gives the model words for calls that could not run, and goes on', async () => {
    const { events, turnId } = await ask('bad calls please')
    expect(events.at(-1)?.type).toBe('done')
    const { tool_calls: calls } = await chats().turn(turnId)
    expect(calls.map((call) => call.status)).toEqual(['failed', 'failed', 'failed'])
    expect(JSON.stringify(calls[0]?.output)).toContain('no_such_tool')
    expect(JSON.stringify(calls[2]?.output)).toContain('/missing.txt')
    expect(events.filter((event) => event.type === 'observation')).toHaveLength(3)
  })

  it('asks again when the answer breaks off, and says which deltas are void', async () => {
    const { events, chatId } = await ask('breaks once please')
    const restart = events.find((event) => event.type === 'step_restarted')
    expect(restart).toBeDefined()
    const from = restart?.type === 'step_restarted' ? restart.data.void_from_seq : 0
    const kept = events.filter((event) => event.type === 'chunk' && ((event.id ?? 0) < from || (event.id ?? 0) > (restart?.id ?? 0)))
    expect(kept.map((event) => (event.type === 'chunk' ? event.data.text : '')).join('')).toBe('The second attempt arrives.')
    expect((await chats().messages(chatId)).items.at(-1)?.parts).toMatchObject([{ type: 'text', text: 'The second attempt arrives.' }])
  })

  it('ends with an error that says what the provider said, when asking again cannot help', async () => {
    const { events, turnId } = await ask('refused please')
    expect(events.at(-1)).toMatchObject({ type: 'error', data: { code: 'invalid_api_key', retryable: false } })
    expect((await chats().turn(turnId)).error?.message).toContain('Incorrect API key')
  })
})

describe('a conversation that is too large for the model', () => {
  it('ends the turn before the model is asked, saying by how much', async () => {
    const before = app.model.requests().length
    const { events } = await ask('word '.repeat(150_000))
    expect(events.at(-1)).toMatchObject({ type: 'error', data: { code: 'context_too_large', retryable: false } })
    expect(events.at(-1)?.type === 'error' && JSON.stringify(events.at(-1))).toMatch(/about \d+ tokens too large/)
    expect(app.model.requests()).toHaveLength(before)
  })
})

describe('what the model would receive', () => {
  it('is shown as it is sent: preamble, messages with their calls and results, tools, and the tokens of each', async () => {
    const { chatId } = await ask('two calls please')
    const context = await chats().context(chatId)
    expect(context.preamble).toContain('BuildScale workspace')
    // Nobody has given this server a web search, so nobody is offered one.
    expect(context.tools.map((tool) => tool.name)).toEqual(TOOL_NAMES.filter((name) => name !== 'web_search'))
    expect(context.messages.map((message) => (message as { role: string }).role)).toEqual(['user', 'assistant', 'user', 'assistant'])
    expect(context.tokens).toBeGreaterThan(0)
    expect(context.tokens).toBeLessThan(context.limit)
  })
})

describe('messages sent at once', () => {
  it('are answered once each, in order, never two turns of a chat at a time', async () => {
    const { chat } = await chats().create({ title: 'busy' })
    const sent = await Promise.all(Array.from({ length: 8 }, (_, index) => chats().send(chat.id, { content: `message ${index}` })))
    const events = await eventsOf(chat.id)
    const asked = events.flatMap((event) => (event.type === 'message' ? [event.data.message_id] : []))
    expect(new Set(asked)).toEqual(new Set(sent.map((answer) => answer.message_id)))
    const bounds = events.filter((event) => event.type === 'turn_started' || event.type === 'done')
    expect(bounds.map((event) => event.type)).toEqual(Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? 'turn_started' : 'done')))
    expect(bounds.flatMap((event) => (event.type === 'turn_started' ? [event.data.message_id] : []))).toEqual(asked)
    expect(sent.map((answer) => answer.position).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('with one Idempotency-Key are one message', async () => {
    const { chat } = await chats().create({ title: 'once' })
    const [first, second] = await Promise.all([1, 2].map(() => chats().send(chat.id, { content: 'once' }, { idempotencyKey: 'same' })))
    expect(second).toEqual(first)
    await expect(chats().send(chat.id, { content: 'other' }, { idempotencyKey: 'same' })).rejects.toMatchObject({ code: 'conflict' })
    expect((await eventsOf(chat.id)).filter((event) => event.type === 'message')).toHaveLength(1)
  })
})

describe('stop', () => {
  it('ends a streaming turn within a second, with one terminal event, and keeps what was said', async () => {
    const { chat, turn_id: turnId } = await chats().create({ goal: 'slow please' })
    await sleep(700)
    const startedAt = performance.now()
    expect(await chats().stop(chat.id)).toEqual({ turn_id: turnId, status: 'stopped' })
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    const events = await eventsOf(chat.id)
    expect(events.filter((event) => ['done', 'stopped', 'error'].includes(event.type)).map((event) => event.type)).toEqual(['stopped'])
    const said = events.flatMap((event) => (event.type === 'chunk' ? [event.data.text] : [])).join('')
    const { items } = await chats().messages(chat.id)
    expect(items.at(-1)).toMatchObject({ status: 'stopped', parts: [{ type: 'text', text: said }] })
    expect(said.length).toBeGreaterThan(0)
    await chats().send(chat.id, { content: 'go on' })
    expect((await eventsOf(chat.id)).at(-1)?.type).toBe('done')
  })

  it('says that an idle chat is idle', async () => {
    const { chat } = await chats().create({ title: 'idle' })
    expect(await chats().stop(chat.id)).toEqual({ turn_id: null, status: 'idle' })
  })

  it('with `all` ends the queued turns too, each with its own event', async () => {
    const { chat } = await chats().create({ goal: 'slow please' })
    await chats().send(chat.id, { content: 'second' })
    await chats().send(chat.id, { content: 'third' })
    await sleep(200)
    await chats().stop(chat.id, { all: true })
    const events = await eventsOf(chat.id)
    expect(events.filter((event) => event.type === 'stopped')).toHaveLength(3)
    expect(events.filter((event) => event.type === 'done')).toHaveLength(0)
  })

  it('leaves no call without a result', async () => {
    const { chat, turn_id: turnId } = await chats().create({ goal: 'slow tool please' })
    await sleep(900)
    await chats().stop(chat.id)
    const { tool_calls: calls, status } = await chats().turn(turnId ?? '')
    expect(status).toBe('stopped')
    expect(calls.every((call) => call.output !== null && call.status !== 'pending')).toBe(true)
    await chats().send(chat.id, { content: 'and?' })
    expect((await eventsOf(chat.id)).at(-1)?.type).toBe('done')
  })
})

describe('messages', () => {
  it('and the events after their cursor show everything once, also while a turn runs', async () => {
    const { chat } = await chats().create({ goal: 'first' })
    await eventsOf(chat.id)
    await chats().send(chat.id, { content: 'slow please' })
    await chats().send(chat.id, { content: 'queued behind' })
    await sleep(300)
    const { items, as_of_seq: asOf } = await chats().messages(chat.id)
    await chats().stop(chat.id)
    const rest = (await eventsOf(chat.id)).filter((event) => (event.id ?? 0) > asOf)
    const listed = items.filter((message) => message.role === 'user').map((message) => message.id)
    const followed = rest.flatMap((event) => (event.type === 'message' ? [event.data.message_id] : []))
    expect(new Set([...listed, ...followed]).size).toBe(3)
    expect(listed.filter((id) => followed.includes(id))).toEqual([])
    expect(rest.some((event) => event.type === 'turn_started')).toBe(true)
  })

  it('page backwards without losing or repeating one', async () => {
    const { chat } = await chats().create({ title: 'pages' })
    for (let index = 0; index < 5; index++) await chats().send(chat.id, { content: `m${index}` })
    await eventsOf(chat.id)
    const seen: string[] = []
    for (let before: string | undefined; ; ) {
      const page = await chats().messages(chat.id, { limit: 3, before })
      seen.unshift(...page.items.map((message) => message.id))
      if (page.next_cursor === null) break
      before = page.next_cursor
    }
    expect(seen).toHaveLength(10)
    expect(seen).toEqual((await chats().messages(chat.id)).items.map((message) => message.id))
  })
})

describe('attached files', () => {
  it('travel with the message as they were, and are shown with path and version', async () => {
    await app.client.files(app.workspaceId).put('/notes.md', 'remember the milk')
    const { chat } = await chats().create({ goal: 'What does it say?', files: ['/notes.md'] })
    await eventsOf(chat.id)
    const [question] = (await chats().messages(chat.id)).items
    expect(question?.parts).toMatchObject([{ type: 'file', path: '/notes.md', version: 1 }, { type: 'text', text: 'What does it say?' }])
    expect(JSON.stringify(app.model.requests().at(-1))).toContain('remember the milk')
  })

  it('that are not there refuse the message and queue nothing', async () => {
    await expect(chats().create({ goal: 'x', files: ['/nowhere.md'] })).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('values that this version does not know', () => {
  it.each([
    [{ mode: 'plan' }, 'build'],
    [{ agent: 'bulider' }, 'builder'],
    [{ model: 'anthropic:claude' }, 'openai'],
  ])('%j is refused, naming what is possible', async (body, allowed) => {
    const response = await fetch(`${app.url}/api/v1/workspaces/${app.workspaceId}/chats`, {
      method: 'POST',
      headers: { authorization: `Bearer ${app.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain(allowed)
  })
})
