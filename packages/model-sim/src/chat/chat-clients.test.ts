import { createOpenAI } from '@ai-sdk/openai'
import { APICallError, generateText, stepCountIs, streamText, tool } from 'ai'
import OpenAI from 'openai'
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { withSim } from '../../test/sim-client.ts'
import type { ModelSim } from '../index.ts'

const SCRIPT = {
  turns: [
    { text: 'First both pairs.', calls: [{ name: 'add', arguments: { x: 1, y: 2 } }, { name: 'add', arguments: { x: 3, y: 4 } }] },
    { text: 'Together they are ten — 10 ✓.', usage: { input_tokens: 70, output_tokens: 9, cached_tokens: 64, reasoning_tokens: 3 } },
  ],
}
const ANSWER = 'Together they are ten — 10 ✓.'
const ADD = { type: 'function', function: { name: 'add', parameters: { type: 'object', properties: { x: { type: 'number' }, y: { type: 'number' } }, required: ['x', 'y'] } } } as const
const addTool = tool({ description: 'adds', inputSchema: z.object({ x: z.number(), y: z.number() }), execute: ({ x, y }) => Promise.resolve(x + y) })

const openai = (sim: ModelSim, apiKey = 'any'): OpenAI => new OpenAI({ apiKey, baseURL: sim.url, maxRetries: 0 })

it('carries a loop of two calls at once with the official openai client, streaming', () =>
  withSim({ script: SCRIPT }, async (sim) => {
    const messages: ChatCompletionMessageParam[] = [{ role: 'system', content: 'You add.' }, { role: 'user', content: 'add them' }]
    const ask = () => openai(sim).chat.completions.stream({ model: 'gpt-4o', messages, tools: [ADD], stream_options: { include_usage: true } })
    const first = await ask().finalChatCompletion()
    const asked = first.choices[0]?.message
    expect(first.choices[0]?.finish_reason).toBe('tool_calls')
    expect(asked?.tool_calls?.map((call) => (call.type === 'function' ? call.function.arguments : ''))).toEqual(['{"x":1,"y":2}', '{"x":3,"y":4}'])
    messages.push({ role: 'assistant', content: asked?.content ?? '', tool_calls: asked?.tool_calls ?? [] })
    for (const [index, call] of (asked?.tool_calls ?? []).entries()) messages.push({ role: 'tool', tool_call_id: call.id, content: String([3, 7][index]) })
    let text = ''
    const stream = ask()
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    const final = await stream.finalChatCompletion()
    expect(text).toBe(ANSWER)
    expect(final.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: ANSWER } })
    expect(final.usage).toMatchObject({ prompt_tokens: 70, completion_tokens: 9, total_tokens: 79, prompt_tokens_details: { cached_tokens: 64 }, completion_tokens_details: { reasoning_tokens: 3 } })
  }))

it('answers the official openai client without streaming, calls first', () =>
  withSim({ script: SCRIPT }, async (sim) => {
    const first = await openai(sim).chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: 'add them' }], tools: [ADD] })
    expect(first.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { role: 'assistant', content: 'First both pairs.', refusal: null, tool_calls: [{ type: 'function', function: { name: 'add' } }, {}] } })
    const calls = first.choices[0]?.message.tool_calls ?? []
    const second = await openai(sim).chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'add them' }, { role: 'assistant', tool_calls: calls }, ...calls.map((call) => ({ role: 'tool' as const, tool_call_id: call.id, content: 'x' }))],
    })
    expect(second.choices[0]?.message.content).toBe(ANSWER)
  }))

it('gives the official openai client its typed errors, before and in the middle of a stream', () =>
  withSim({ apiKey: 'secret', script: { turns: [{ http_error: { status: 429, code: 'rate_limit_exceeded', headers: { 'retry-after': '7' } } }, { text: 'half a', failed: { code: 'server_error', message: 'broken' } }] } }, async (sim) => {
    const body = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'hi' }] }
    await expect(openai(sim, 'wrong').chat.completions.create(body)).rejects.toThrow(OpenAI.AuthenticationError)
    await expect(openai(sim, 'secret').chat.completions.create({ ...body, model: 'no-such-model' })).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
    await expect(openai(sim, 'secret').chat.completions.create(body)).rejects.toThrow(OpenAI.RateLimitError)
    const stream = await openai(sim, 'secret').chat.completions.create({ ...body, stream: true })
    let text = ''
    const read = async (): Promise<void> => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    }
    await expect(read()).rejects.toThrow(/broken/)
    expect(text).toBe('half a')
  }))

it('streams text and a loop of tool calls to the ai package', () =>
  withSim({ script: SCRIPT }, async (sim) => {
    const provider = createOpenAI({ apiKey: 'any', baseURL: sim.url })
    const errors: unknown[] = []
    const result = streamText({ model: provider.chat('gpt-4o'), prompt: 'add them', tools: { add: addTool }, stopWhen: stepCountIs(5), maxRetries: 0, onError: ({ error }) => void errors.push(error) })
    let text = ''
    for await (const delta of result.textStream) text += delta
    const steps = await result.steps
    expect(errors).toEqual([])
    expect(text).toBe(`First both pairs.${ANSWER}`)
    expect(steps.map((step) => step.toolResults.map((answer) => answer.output))).toEqual([[3, 7], []])
    expect(steps.map((step) => step.finishReason)).toEqual(['tool-calls', 'stop'])
    expect(steps[1]?.usage).toMatchObject({ inputTokens: 70, outputTokens: 9 })
  }))

it('lets the ai package run the offline model and the load model, and tells it of errors', () =>
  withSim({}, async (sim) => {
    const provider = createOpenAI({ apiKey: 'any', baseURL: sim.url })
    const ls = tool({ description: 'lists', inputSchema: z.looseObject({}), execute: () => Promise.resolve({ path: '/', entries: [{ name: 'a.md', path: '/a.md', file_type: 'document' }] }) })
    const listed = await generateText({ model: provider.chat('rules'), prompt: 'list the files', tools: { ls }, stopWhen: stepCountIs(5) })
    const loaded = await generateText({ model: provider.chat('load:steps:3'), prompt: 'go', tools: { ls }, stopWhen: stepCountIs(9) })
    expect(listed.text).toContain('/a.md')
    expect(loaded.steps).toHaveLength(4)
    const failed = generateText({ model: provider.chat('gpt-99'), prompt: 'hi', maxRetries: 0 })
    await expect(failed).rejects.toSatisfy((error) => APICallError.isInstance(error) && error.statusCode === 404 && error.message.includes('gpt-99'))
  }))
