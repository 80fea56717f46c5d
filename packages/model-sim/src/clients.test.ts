import { createOpenAI } from '@ai-sdk/openai'
import { APICallError, generateText, stepCountIs, streamText, tool } from 'ai'
import OpenAI from 'openai'
import type { ResponseInputItem } from 'openai/resources/responses/responses'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { withSim } from '../test/sim-client.ts'

const SCRIPT = {
  turns: [
    { reasoning: 'I add both pairs.', calls: [{ name: 'add', arguments: { x: 1, y: 2 } }, { name: 'add', arguments: { x: 3, y: 4 } }] },
    { reasoning: 'Now the sums.', calls: [{ name: 'add', arguments: { x: 3, y: 7 } }] },
    { text: 'Together they are ten — 10 ✓.' },
  ],
}
const ANSWER = 'Together they are ten — 10 ✓.'
const ADD = { type: 'function', name: 'add', strict: true, parameters: { type: 'object', properties: { x: { type: 'number' }, y: { type: 'number' } }, required: ['x', 'y'], additionalProperties: false } } as const

it('streams text to the official openai client', () =>
  withSim({}, async (sim) => {
    const client = new OpenAI({ apiKey: 'any', baseURL: sim.url, maxRetries: 0 })
    const stream = client.responses.stream({ model: 'gpt-4o', input: 'hello' })
    let text = ''
    for await (const event of stream) if (event.type === 'response.output_text.delta') text += event.delta
    const final = await stream.finalResponse()
    expect(text).toContain('offline model')
    expect(final.output_text).toBe(text)
    expect(final.usage?.total_tokens).toBeGreaterThan(0)
  }))

it('carries a loop of tool calls, two at once, with the official openai client', () =>
  withSim({ script: SCRIPT }, async (sim) => {
    const client = new OpenAI({ apiKey: 'any', baseURL: sim.url, maxRetries: 0 })
    const input: ResponseInputItem[] = [{ role: 'user', content: 'add them' }]
    const sums: number[] = []
    for (let step = 0; step < 5; step += 1) {
      const stream = client.responses.stream({ model: 'gpt-5', input, tools: [ADD], include: ['reasoning.encrypted_content'], store: false })
      for await (const _event of stream);
      const { output, output_text: text } = await stream.finalResponse()
      if (text !== '') {
        expect(text).toBe(ANSWER)
        expect(sums).toEqual([3, 7, 10])
        return
      }
      for (const item of output) {
        if (item.type === 'function_call') input.push({ type: 'function_call', id: String(item.id), call_id: item.call_id, name: item.name, arguments: item.arguments })
        else if (item.type === 'reasoning') input.push(item)
      }
      for (const item of output.filter((candidate) => candidate.type === 'function_call')) {
        const { x, y } = JSON.parse(item.arguments) as { x: number; y: number }
        sums.push(x + y)
        input.push({ type: 'function_call_output', call_id: item.call_id, output: String(x + y) })
      }
    }
    expect.unreachable('the model never answered')
  }))

it('answers the official openai client without streaming, and continues from a previous response id', () =>
  withSim({ script: { turns: [{ calls: [{ name: 'add', arguments: { x: 1, y: 1 }, call_id: 'call_one' }] }, { text: 'two' }] } }, async (sim) => {
    const client = new OpenAI({ apiKey: 'any', baseURL: sim.url, maxRetries: 0 })
    const first = await client.responses.create({ model: 'gpt-4o', input: '1 + 1', tools: [ADD] })
    const second = await client.responses.create({ model: 'gpt-4o', previous_response_id: first.id, input: [{ type: 'function_call_output', call_id: 'call_one', output: '2' }] })
    expect(second.output_text).toBe('two')
  }))

it('gives the official openai client its typed errors', () =>
  withSim({ apiKey: 'secret', script: { turns: [{ http_error: { status: 429, code: 'rate_limit_exceeded', headers: { 'retry-after': '7' } } }] } }, async (sim) => {
    const stranger = new OpenAI({ apiKey: 'wrong', baseURL: sim.url, maxRetries: 0 })
    const client = new OpenAI({ apiKey: 'secret', baseURL: sim.url, maxRetries: 0 })
    await expect(stranger.responses.create({ model: 'gpt-4o', input: 'hi' })).rejects.toThrow(OpenAI.AuthenticationError)
    await expect(client.responses.create({ model: 'no-such-model', input: 'hi' })).rejects.toMatchObject({ status: 400, code: 'model_not_found' })
    await expect(client.responses.create({ model: 'gpt-4o', input: 'hi' })).rejects.toThrow(OpenAI.RateLimitError)
  }))

it('tells the official openai client of a failure in the middle of a stream', () =>
  withSim({ script: { turns: [{ text: 'half a', error: { code: 'server_error', message: 'broken' } }] } }, async (sim) => {
    const client = new OpenAI({ apiKey: 'any', baseURL: sim.url, maxRetries: 0 })
    const stream = await client.responses.create({ model: 'gpt-4o', input: 'hi', stream: true })
    const types: string[] = []
    const read = async (): Promise<void> => {
      for await (const event of stream) types.push(event.type)
    }
    await read().catch((error: unknown) => types.push(error instanceof OpenAI.APIError ? 'error' : 'something else')) // thrown, or an event: both are told
    expect(types.filter((type) => type.endsWith('.delta'))).toHaveLength(2)
    expect(types.at(-1)).toBe('error')
  }))

const addTool = tool({ description: 'adds', inputSchema: z.object({ x: z.number(), y: z.number() }), execute: ({ x, y }) => Promise.resolve(x + y) })

it('streams text and a loop of tool calls to the ai package', () =>
  withSim({ script: SCRIPT }, async (sim) => {
    const provider = createOpenAI({ apiKey: 'any', baseURL: sim.url })
    const errors: unknown[] = []
    const result = streamText({ model: provider('gpt-5'), prompt: 'add them', tools: { add: addTool }, stopWhen: stepCountIs(5), maxRetries: 0, onError: ({ error }) => void errors.push(error) })
    let text = ''
    for await (const delta of result.textStream) text += delta
    const steps = await result.steps
    expect(errors).toEqual([])
    expect(text).toBe(ANSWER)
    expect(steps.map((step) => step.toolResults.map((answer) => answer.output))).toEqual([[3, 7], [10], []])
    expect(steps[0]?.reasoningText).toBe('I add both pairs.')
  }))

it('lets the ai package replay reasoning in full when nothing is stored', () =>
  withSim({ script: SCRIPT }, async (sim) => {
    const provider = createOpenAI({ apiKey: 'any', baseURL: sim.url })
    const { text } = await generateText({
      model: provider('gpt-5'),
      prompt: 'add them',
      tools: { add: addTool },
      stopWhen: stepCountIs(5),
      maxRetries: 0,
      providerOptions: { openai: { store: false, include: ['reasoning.encrypted_content'] } },
    })
    expect(text).toBe(ANSWER)
    const kinds = (sim.requests().at(-1)?.body as { input: { type?: string }[] }).input.map((item) => item.type)
    expect(kinds.filter((kind) => kind === 'reasoning')).toHaveLength(2)
  }))

it('lets the ai package run the offline model and the load model', () =>
  withSim({}, async (sim) => {
    const provider = createOpenAI({ apiKey: 'any', baseURL: sim.url })
    const anything = tool({ description: 'lists', inputSchema: z.looseObject({}), execute: () => Promise.resolve({ path: '/', entries: [{ name: 'a.md', path: '/a.md', file_type: 'document' }] }) })
    const listed = await generateText({ model: provider('rules'), prompt: 'list the files', tools: { ls: anything }, stopWhen: stepCountIs(5) })
    const loaded = await generateText({ model: provider('load:steps:3'), prompt: 'go', tools: { ls: anything }, stopWhen: stepCountIs(9) })
    expect(listed.text).toContain('/a.md')
    expect(loaded.steps).toHaveLength(4)
  }))

it('tells the ai package of errors', () =>
  withSim({}, async (sim) => {
    const provider = createOpenAI({ apiKey: 'any', baseURL: sim.url })
    const failed = generateText({ model: provider('gpt-99'), prompt: 'hi', maxRetries: 0 })
    await expect(failed).rejects.toSatisfy((error) => APICallError.isInstance(error) && error.statusCode === 400 && error.message.includes('gpt-99'))
  }))
