import { createAnthropic } from '@ai-sdk/anthropic'
import Anthropic from '@anthropic-ai/sdk'
import { APICallError, generateText, stepCountIs, streamText, tool } from 'ai'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { withSim } from '../../test/sim-client.ts'
import type { ModelSim } from '../index.ts'

const SCRIPT = {
  turns: [
    { reasoning: 'I add both pairs.', text: 'First both pairs.', calls: [{ name: 'add', arguments: { x: 1, y: 2 } }, { name: 'add', arguments: { x: 3, y: 4 } }] },
    { text: 'Together they are ten — 10 ✓.', usage: { input_tokens: 100, output_tokens: 9, cached_tokens: 64, cache_write_tokens: 16 } },
  ],
}
const ANSWER = 'Together they are ten — 10 ✓.'
const ADD = { name: 'add', description: 'adds', input_schema: { type: 'object' as const, properties: { x: { type: 'number' }, y: { type: 'number' } }, required: ['x', 'y'] } }
const addTool = tool({ description: 'adds', inputSchema: z.object({ x: z.number(), y: z.number() }), execute: ({ x, y }) => Promise.resolve(x + y) })

const anthropic = (sim: ModelSim, apiKey = 'any'): Anthropic => new Anthropic({ apiKey, baseURL: sim.origin, maxRetries: 0 })

it('carries thinking and a loop of two calls at once with the official client, streaming', () =>
  withSim({ script: SCRIPT }, async (sim) => {
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'add them' }]
    const ask = () => anthropic(sim).messages.stream({ model: 'claude-sonnet-4-6', max_tokens: 4096, messages, tools: [ADD], thinking: { type: 'enabled', budget_tokens: 1024 } })
    const first = await ask().finalMessage()
    expect(first.stop_reason).toBe('tool_use')
    expect(first.content).toMatchObject([
      { type: 'thinking', thinking: 'I add both pairs.', signature: expect.stringMatching(/./) },
      { type: 'text', text: 'First both pairs.' },
      { type: 'tool_use', name: 'add', input: { x: 1, y: 2 } },
      { type: 'tool_use', name: 'add', input: { x: 3, y: 4 } },
    ])
    const results = first.content.flatMap((block) => (block.type === 'tool_use' ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: 'x' }] : []))
    messages.push({ role: 'assistant', content: first.content }, { role: 'user', content: results })
    let text = ''
    const second = ask().on('text', (delta) => (text += delta))
    const final = await second.finalMessage()
    expect(text).toBe(ANSWER)
    expect(final).toMatchObject({ stop_reason: 'end_turn', content: [{ type: 'text', text: ANSWER }], usage: { input_tokens: 20, cache_read_input_tokens: 64, cache_creation_input_tokens: 16, output_tokens: 9 } })
  }))

it('answers the official client without streaming', () =>
  withSim({ script: SCRIPT }, async (sim) => {
    const message = await anthropic(sim).messages.create({ model: 'claude-sonnet-4-6', max_tokens: 64, messages: [{ role: 'user', content: 'add them' }], tools: [ADD] })
    expect(message).toMatchObject({ type: 'message', role: 'assistant', model: 'claude-sonnet-4-6', stop_reason: 'tool_use', stop_sequence: null })
    expect(message.content.map((block) => block.type)).toEqual(['thinking', 'text', 'tool_use', 'tool_use'])
    expect(message._request_id).toMatch(/^req_/)
  }))

it('shows the official client redacted thinking, citations and a search of the service itself', () => {
  const output = [
    { type: 'reasoning', redacted: 'b3BhcXVl' },
    { type: 'item', item: { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'weather' } } },
    { type: 'item', item: { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [{ type: 'web_search_result', url: 'https://example.org/', title: 'Weather', encrypted_content: 'x', page_age: null }] } },
    { type: 'text', text: 'It is sunny.', annotations: [{ type: 'web_search_result_location', url: 'https://example.org/', title: 'Weather', cited_text: 'sunny', encrypted_index: 'y' }] },
  ]
  return withSim({ script: { turns: [{ output, times: 'always' }] } }, async (sim) => {
    const body = { model: 'claude-sonnet-4-6', max_tokens: 64, messages: [{ role: 'user' as const, content: 'weather?' }] }
    const streamed = await anthropic(sim).messages.stream(body).finalMessage()
    const whole = await anthropic(sim).messages.create(body)
    expect(streamed.content).toMatchObject([
      { type: 'redacted_thinking', data: 'b3BhcXVl' },
      { type: 'server_tool_use', id: 'srvtoolu_1', input: { query: 'weather' } },
      { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [{ title: 'Weather' }] },
      { type: 'text', text: 'It is sunny.', citations: [{ cited_text: 'sunny' }] },
    ])
    expect(whole.content).toEqual(streamed.content)
    const next = await anthropic(sim).messages.create({ ...body, messages: [...body.messages, { role: 'assistant', content: whole.content }, { role: 'user', content: 'and tomorrow?' }] })
    expect(next.type).toBe('message')
  })
})

it('gives the official client its typed errors, before and in the middle of a stream', () =>
  withSim({ apiKey: 'secret', script: { turns: [{ http_error: { status: 429 } }, { text: 'half a', error: { code: 'overloaded_error', message: 'Overloaded' } }] } }, async (sim) => {
    const body = { model: 'claude-sonnet-4-6', max_tokens: 64, messages: [{ role: 'user' as const, content: 'hi' }] }
    await expect(anthropic(sim, 'wrong').messages.create(body)).rejects.toThrow(Anthropic.AuthenticationError)
    await expect(anthropic(sim, 'secret').messages.create({ ...body, model: 'no-such-model' })).rejects.toMatchObject({
      status: 404,
      requestID: expect.stringMatching(/^req_/),
      error: { type: 'error', error: { type: 'not_found_error', message: 'model: no-such-model' } },
    })
    await expect(anthropic(sim, 'secret').messages.create(body)).rejects.toThrow(Anthropic.RateLimitError)
    const stream = anthropic(sim, 'secret').messages.stream(body)
    let text = ''
    stream.on('text', (delta) => (text += delta))
    await expect(stream.finalMessage()).rejects.toThrow(/Overloaded/)
    expect(text).toBe('half a')
  }))

it('lists its models to the official client and shows one', () =>
  withSim({ models: ['rules', 'claude-sonnet-4-6'], apiKey: 'secret' }, async (sim) => {
    const ids: string[] = []
    for await (const model of anthropic(sim, 'secret').models.list()) ids.push(model.id)
    expect(ids).toEqual(['rules', 'claude-sonnet-4-6'])
    expect(await anthropic(sim, 'secret').models.retrieve('rules')).toMatchObject({ type: 'model', id: 'rules' })
    await expect(anthropic(sim, 'secret').models.retrieve('other')).rejects.toThrow(Anthropic.NotFoundError)
    await expect(anthropic(sim, 'wrong').models.list()).rejects.toThrow(Anthropic.AuthenticationError)
  }))

it('streams thinking, text and a loop of tool calls to the ai package', () =>
  withSim({ script: SCRIPT }, async (sim) => {
    const provider = createAnthropic({ apiKey: 'any', baseURL: sim.url })
    const errors: unknown[] = []
    const result = streamText({ model: provider('claude-sonnet-4-6'), prompt: 'add them', tools: { add: addTool }, stopWhen: stepCountIs(5), maxRetries: 0, onError: ({ error }) => void errors.push(error) })
    let text = ''
    for await (const delta of result.textStream) text += delta
    const steps = await result.steps
    expect(errors).toEqual([])
    expect(text).toBe(`First both pairs.${ANSWER}`)
    expect(steps.map((step) => step.toolResults.map((answer) => answer.output))).toEqual([[3, 7], []])
    expect(steps[0]?.reasoningText).toBe('I add both pairs.')
    const replayed = (sim.requests().at(-1)?.body as { messages: { content: { type: string }[] }[] }).messages
    expect(replayed.map((message) => message.content.map((block) => block.type))).toEqual([['text'], ['thinking', 'text', 'tool_use', 'tool_use'], ['tool_result', 'tool_result']])
  }))

it('lets the ai package run the offline model and the load model, and tells it of errors', () =>
  withSim({}, async (sim) => {
    const provider = createAnthropic({ apiKey: 'any', baseURL: sim.url })
    const ls = tool({ description: 'lists', inputSchema: z.looseObject({}), execute: () => Promise.resolve({ path: '/', entries: [{ name: 'a.md', path: '/a.md', file_type: 'document' }] }) })
    const listed = await generateText({ model: provider('rules'), prompt: 'list the files', maxOutputTokens: 99, tools: { ls }, stopWhen: stepCountIs(5) })
    const loaded = await generateText({ model: provider('load:steps:3'), prompt: 'go', maxOutputTokens: 99, tools: { ls }, stopWhen: stepCountIs(9) })
    expect(listed.text).toContain('/a.md')
    expect(loaded.steps).toHaveLength(4)
    const failed = generateText({ model: provider('claude-99'), prompt: 'hi', maxRetries: 0 })
    await expect(failed).rejects.toSatisfy((error) => APICallError.isInstance(error) && error.statusCode === 404 && error.message.includes('claude-99'))
  }))
