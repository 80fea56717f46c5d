import { startModelSim, type ModelSim } from '@buildscale/model-sim'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningApp, startApp } from './support/running-app.ts'

/** Every provider answers by the same script; what differs is the wire. */
const SCRIPT = {
  turns: [
    { when: { last_user: 'write', step: 0 }, times: 'always', reasoning: 'A file is wanted.', text: 'Writing. ', calls: [{ name: 'write', arguments: { path: '/note.md', content: 'noted' } }] },
    { when: { last_user: 'write', step: 1 }, times: 'always', text: 'It is written.' },
    { times: 'always', text: 'You asked for a note before.' },
  ],
}
const MODELS = ['openai:gpt-4o', 'anthropic:claude-sonnet-4-6', 'openrouter:some/model', 'ollama:qwen3:8b']

let app: RunningApp
let sim: ModelSim
beforeAll(async () => {
  sim = await startModelSim({ models: 'any', script: SCRIPT })
  app = await startApp({ env: { OPENAI_BASE_URL: sim.url, ANTHROPIC_BASE_URL: sim.origin, OPENROUTER_BASE_URL: sim.url, OPENROUTER_API_KEY: 'k', OLLAMA_BASE_URL: sim.origin } })
})
afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await sim.close()
})

const chats = () => app.client.chats(app.workspaceId)

async function settled(chatId: string): Promise<void> {
  for await (const event of chats().events(chatId, { until: 'idle' })) if (event.type === 'error') throw new Error(event.data.message)
}

it.each(MODELS)('a turn of %s reasons, calls a tool and answers', async (model) => {
  const { chat } = await chats().create({ goal: 'write a note', model })
  await settled(chat.id)
  const { items } = await chats().messages(chat.id)
  expect(items.at(-1)?.parts.map(({ type }) => type)).toEqual(['reasoning', 'text', 'tool_call', 'text'])
})

it('a chat goes on with any other provider: the history travels, what only its author understands does not', async () => {
  const { chat } = await chats().create({ goal: 'write a note', model: MODELS[0] ?? '' })
  await settled(chat.id)
  for (const model of MODELS.slice(1)) {
    await chats().update(chat.id, { model })
    await chats().send(chat.id, { content: 'and then?' })
    await settled(chat.id)
  }
  const { items } = await chats().messages(chat.id)
  expect(items.filter(({ role }) => role === 'assistant')).toHaveLength(MODELS.length)
  const paths = sim.requests().slice(-3).map(({ path }) => path)
  expect(paths).toEqual(['/v1/messages', '/v1/chat/completions', '/v1/chat/completions'])
  for (const { body } of sim.requests().slice(-3)) expect(JSON.stringify(body)).toMatch(/noted.*It is written/)
})
