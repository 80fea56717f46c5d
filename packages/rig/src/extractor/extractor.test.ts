import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { CompletionError, ExtractionError, PromptCancelledError } from '../errors.ts'
import { Message } from '../completion/message.ts'
import { ZERO_USAGE } from '../completion/usage.ts'
import { calls, says, ScriptedModel, toolCall, type ScriptedTurn } from '../testing/scripted-model.ts'
import { ExtractorBuilder } from './extractor-builder.ts'

const Person = z.object({ name: z.string(), age: z.number().optional() })
const usage = { ...ZERO_USAGE, inputTokens: 3, outputTokens: 1, totalTokens: 4 }
const submit = (args: Record<string, string | number>): ScriptedTurn => ({ ...calls(toolCall('c1', 'submit', args)), usage } as ScriptedTurn)

function extractorOf(...turns: readonly ScriptedTurn[]) {
  const model = new ScriptedModel(turns)
  return { model, builder: new ExtractorBuilder(model, Person) }
}

describe('an extractor', () => {
  it('gives the data that the model submits, in the type of the schema', async () => {
    const { model, builder } = extractorOf(submit({ name: 'Ada', age: 36 }))
    const { name, age } = await builder.preamble('Ages in years.').build().extract('Ada is 36.')
    expect([name, age]).toEqual(['Ada', 36])
    expect(model.requests[0]).toMatchObject({ toolChoice: 'required', tools: [{ name: 'submit', parameters: { required: ['name'] } }] })
    expect(JSON.stringify(model.requests[0]?.messages[0])).toMatch(/===== ADDITIONAL INSTRUCTIONS =====\\nAges in years\./)
  })

  it('reads after what was said before', async () => {
    const { model, builder } = extractorOf(submit({ name: 'Ada' }))
    await builder.build().extractWithChatHistory('And her?', [Message.user('Hi'), Message.assistant('Hello')])
    expect(model.requests[0]?.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user'])
  })

  it('takes the first of several submissions', async () => {
    const { builder } = extractorOf(calls(toolCall('a', 'submit', { name: 'Ada' }), toolCall('b', 'submit', { name: 'Bob' })))
    await expect(builder.build().extract('Both')).resolves.toEqual({ name: 'Ada' })
  })

  it('makes one model call unless retries are wanted, and says why nothing came of it', async () => {
    const none = extractorOf(says('I would rather not'), submit({ name: 'Ada' }))
    await expect(none.builder.build().extract('Who?')).rejects.toMatchObject({ name: 'ExtractionError', kind: 'no_data', attempts: 1 })
    expect(none.model.requests).toHaveLength(1)
    await expect(extractorOf(submit({ age: 3 })).builder.build().extract('Who?')).rejects.toMatchObject({ kind: 'deserialization', message: expect.stringContaining('name') })
    const broken: ScriptedTurn = { type: 'error', error: new CompletionError('http', 'no line') }
    await expect(extractorOf(broken).builder.build().extract('Who?')).rejects.toMatchObject({ kind: 'completion', message: expect.stringContaining('no line') })
    await expect(extractorOf({ type: 'answer', content: [], finishReason: 'length' }).builder.build().extract('Who?')).rejects.toMatchObject({ kind: 'prompt' })
  })

  it('counts what failed attempts have cost, in success and in failure', async () => {
    const { builder } = extractorOf(submit({ age: 3 }), submit({ name: 'Ada' }))
    await expect(builder.retries(1).build().extractWithUsage('Who?')).resolves.toEqual({ data: { name: 'Ada' }, usage: { ...usage, inputTokens: 6, outputTokens: 2, totalTokens: 8 } })
    const failing = await extractorOf(submit({ age: 3 }), submit({ age: 3 })).builder.retries(1).build().extract('Who?').catch((error: unknown) => error)
    expect(failing).toBeInstanceOf(ExtractionError)
    expect((failing as ExtractionError).usage?.totalTokens).toBe(8)
  })

  it('does not try again when it was aborted', async () => {
    const { builder, model } = extractorOf({ type: 'hanging', content: [] }, submit({ name: 'Ada' }))
    const running = builder.retries(3).build().extract('Who?', { signal: AbortSignal.timeout(20) })
    await expect(running).rejects.toBeInstanceOf(PromptCancelledError)
    expect(model.requests).toHaveLength(1)
  })
})
