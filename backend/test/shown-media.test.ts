import { startModelSim, type ModelSim } from '@buildscale/model-sim'
import { createClient } from '@buildscale/sdk'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApp, startApp } from './support/running-app.ts'
import { PDF, png } from './support/sample-media.ts'
import { startServerProcess, temporaryDataDir } from './support/server-process.ts'
import { createTestDatabase } from './support/test-database.ts'

const reads = (path: string) => ({ name: 'read', arguments: { path } })
/** On Chat Completions what results show follows them as words of the user. */
const seen = (text: string) => [{ when: { last_user: 'Shown by the result of read' }, times: 'always', text }]
const SCRIPT = {
  turns: [
    { when: { last_user: 'look', step: 0 }, times: 'always', text: 'Looking. ', calls: [reads('/photo.png'), reads('/paper.pdf')] },
    { when: { last_user: 'refuse', step: 0 }, times: 'always', calls: [reads('/photo.png')] },
    { when: { last_user: 'refuse', step: 1 }, times: 'always', http_error: { status: 400, message: 'Could not process image' } },
    { when: { last_user: 'all of them', step: 0 }, times: 'always', calls: Array.from({ length: 5 }, (_, index) => reads(`/large/${index}.png`)) },
    ...seen('I have seen them.'),
    { times: 'always', text: 'I have seen them.' },
  ],
}
const PHOTO = png({ width: 300, height: 20 })
const IMAGE = PHOTO.toString('base64')
const DOCUMENT = PDF.toString('base64')

let app: RunningApp
let sim: ModelSim
beforeAll(async () => {
  sim = await startModelSim({ models: 'any', script: SCRIPT })
  app = await startApp({ env: { OPENAI_BASE_URL: sim.url, ANTHROPIC_BASE_URL: sim.origin, OPENROUTER_BASE_URL: sim.url, OPENROUTER_API_KEY: 'k', OLLAMA_BASE_URL: sim.origin } })
  const files = app.client.files(app.workspaceId)
  await files.put('/photo.png', PHOTO)
  await files.put('/paper.pdf', PDF)
  for (let index = 0; index < 5; index++) await files.put(`/large/${index}.png`, png({ width: index + 1, padding: 3_500_000 }))
})
afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await sim.close()
})

const chats = () => app.client.chats(app.workspaceId)
const lastBody = (): string => JSON.stringify(sim.requests().at(-1)?.body)

async function settled(chatId: string): Promise<readonly string[]> {
  const types: string[] = []
  for await (const event of chats().events(chatId, { until: 'idle' })) types.push(event.type)
  return types
}

async function ask(goal: string, model: string): Promise<string> {
  const { chat } = await chats().create({ goal, model })
  await settled(chat.id)
  return chat.id
}

async function goOn(chatId: string, content: string): Promise<void> {
  await chats().send(chatId, { content })
  await settled(chatId)
}

describe('an image or PDF that a tool reads', () => {
  it.each([
    ['openai:gpt-4o', { type: 'input_image', image_url: `data:image/png;base64,${IMAGE}`, detail: 'auto' }, { type: 'input_file', file_data: `data:application/pdf;base64,${DOCUMENT}`, filename: 'paper.pdf' }],
    ['anthropic:claude-sonnet-4-6', { type: 'image', source: { type: 'base64', media_type: 'image/png', data: IMAGE } }, { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: DOCUMENT }, title: 'paper.pdf' }],
    ['openrouter:openai/gpt-4o', { type: 'image_url', image_url: { url: `data:image/png;base64,${IMAGE}`, detail: 'auto' } }, { type: 'file', file: { file_data: `data:application/pdf;base64,${DOCUMENT}`, filename: 'paper.pdf' } }],
  ])('is in the request to %s, beside what the ledger holds of it, also in later turns', async (model, image, document) => {
    const chatId = await ask('look at both', model)
    expect(lastBody()).toContain(JSON.stringify(image))
    expect(lastBody()).toContain(JSON.stringify(document))
    const { items } = await chats().messages(chatId)
    const calls = items.flatMap((message) => message.parts).filter((part) => part.type === 'tool_call')
    expect(calls.map((call) => call.output)).toMatchObject([{ kind: 'image', path: '/photo.png', width: 300, size: PHOTO.length }, { kind: 'document', mime: 'application/pdf' }])
    expect(JSON.stringify(items)).not.toContain(IMAGE)
    await goOn(chatId, 'what was on it?')
    expect(lastBody().split(IMAGE)).toHaveLength(2)
    expect(lastBody()).toContain(JSON.stringify(document))
    const context = JSON.stringify(await chats().context(chatId))
    expect(context).not.toContain(IMAGE)
    expect(context).toContain('\\"/photo.png\\" (image/png) is shown here')
  })

  it('is told in words to a model that takes none, and shown when the chat goes on with one that does', async () => {
    const chatId = await ask('look at both', 'ollama:qwen3:8b')
    expect(lastBody()).not.toContain(IMAGE)
    expect(lastBody()).toContain('this model takes no images')
    expect(lastBody()).toContain('this model takes no documents')
    await chats().update(chatId, { model: 'ollama:llava' })
    await goOn(chatId, 'and now?')
    expect(lastBody()).toContain(IMAGE)
    expect(lastBody()).not.toContain(DOCUMENT)
    expect(lastBody()).not.toContain('takes no images')
  })

  it('is the version that was read, even when the file has changed or is gone', async () => {
    const chatId = await ask('look at both', 'openai:gpt-4o')
    await app.client.files(app.workspaceId).put('/photo.png', png({ width: 7 }))
    await goOn(chatId, 'again?')
    expect(lastBody()).toContain(IMAGE)
    await app.client.files(app.workspaceId).put('/photo.png', PHOTO)
  })

  it('does not break the chat when the provider refuses it: later turns are told, and not shown it again', async () => {
    const { chat } = await chats().create({ goal: 'refuse this', model: 'openai:gpt-4o' })
    expect(await settled(chat.id)).toContain('error')
    expect(lastBody()).toContain(IMAGE)
    await goOn(chat.id, 'and now?')
    expect(lastBody()).not.toContain(IMAGE)
    expect(lastBody()).toContain('is not shown again, because the turn in which it was shown failed')
    expect((await chats().messages(chat.id)).items.at(-1)).toMatchObject({ status: 'complete' })
  })

  it('is not shown when the turn has shown 12 MiB already, and of earlier turns the newest 8 MiB are shown again', async () => {
    const chatId = await ask('all of them', 'openai:gpt-4o')
    const shownIn = (body: string): number => body.split('data:image/png').length - 1
    expect(shownIn(lastBody())).toBe(3)
    expect(lastBody().split('this turn would show more than 12 MiB').length - 1).toBe(2)
    await goOn(chatId, 'and now?')
    expect(shownIn(lastBody())).toBe(2)
    expect(lastBody()).toContain('is not shown again, to save room')
  })
})

describe('a server that is killed after an image was read', () => {
  it.each(['openai:gpt-4o', 'anthropic:claude-sonnet-4-6', 'openrouter:openai/gpt-4o'])('asks %s again with the same bytes', { timeout: 60_000 }, async (model) => {
    using data = temporaryDataDir()
    await using database = await createTestDatabase()
    const slow = { times: 'always', text: 'A photo.', delay_ms: 1_500 }
    const provider = await startModelSim({ models: 'any', script: { turns: [{ when: { last_user: 'look', step: 0 }, times: 'always', calls: [reads('/photo.png')] }, { when: { last_user: 'Shown by the result' }, ...slow }, slow] } })
    const env = { ...database.env, OPENAI_BASE_URL: provider.url, ANTHROPIC_BASE_URL: provider.origin, OPENROUTER_BASE_URL: provider.url, OPENROUTER_API_KEY: 'k' }
    const first = await startServerProcess({ dataDir: data.path, env })
    const client = createClient({ url: first.url, token: first.token })
    const workspaceId = (await client.me()).workspaces[0]?.id ?? ''
    await client.files(workspaceId).put('/photo.png', PHOTO)
    const { turn_id: turnId } = await client.chats(workspaceId).create({ goal: 'look at it', model })
    while (provider.requests().length < 2) await sleep(20)
    await first.end('SIGKILL')
    await using second = await startServerProcess({ dataDir: data.path, env })
    const again = createClient({ url: second.url, token: second.token }).chats(workspaceId)
    while (['queued', 'running'].includes((await again.turn(turnId ?? '')).status)) await sleep(50)
    const bodies = provider.requests().slice(1).map(({ body }) => JSON.stringify(body))
    expect(bodies).toHaveLength(2)
    expect(bodies[0]).toContain(IMAGE)
    expect(bodies[1]).toBe(bodies[0])
    await provider.close()
  })
})
