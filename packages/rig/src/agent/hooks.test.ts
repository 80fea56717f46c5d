import { describe, expect, it } from 'vitest'
import { calls, says, ScriptedModel, toolCall, type ScriptedTurn } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { AgentBuilder } from './agent-builder.ts'

describe('hooks', () => {
  const look = tool({ name: 'look', description: 'Looks.', call: () => 'seen' })

  it('choose another model for a call', async () => {
    const [first, second] = [new ScriptedModel([says('first')]), new ScriptedModel([says('second')])]
    const agent = new AgentBuilder(first).hook({ onModelSelect: (_ctx, { candidate }) => (candidate === first ? { type: 'use', model: second } : undefined) }).build()
    await expect(agent.run('Go')).resolves.toMatchObject({ output: 'second' })
  })

  it.each([
    ['answer with their own words', { type: 'feedback', text: 'Try look.' } as const, 'Try look.'],
    ['skip it with a reason', { type: 'skip', reason: 'Not today.' } as const, 'Not today.'],
  ])('decide about a call of an unknown tool: %s', async (_title, verdict, said) => {
    const model = new ScriptedModel([calls(toolCall('c', 'lok')), says('Done.')])
    await new AgentBuilder(model).tool(look).hook({ onInvalidToolCall: () => verdict }).build().run('Go')
    expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toContain(said)
  })

  it('end the run over an unknown tool', async () => {
    const run = (verdict: { type: 'fail' } | { type: 'stop'; reason: string }) => new AgentBuilder(new ScriptedModel([calls(toolCall('c', 'lok'))])).tool(look).hook({ onInvalidToolCall: () => verdict }).build().run('Go')
    await expect(run({ type: 'fail' })).rejects.toMatchObject({ name: 'UnknownToolCallError', available: ['look'] })
    await expect(run({ type: 'stop', reason: 'no more' })).rejects.toMatchObject({ name: 'PromptCancelledError', reason: 'no more' })
  })

  it.each(['onCompletionCall', 'onCompletionResponse', 'onModelTurnFinished', 'onToolCall', 'onToolResult'] as const)('stop the run in %s, by verdict and by cancel', async (name) => {
    const run = (hook: object) => new AgentBuilder(new ScriptedModel([calls(toolCall('c', 'look')), says('Done.')])).tool(look).hook(hook).build().run('Go')
    await expect(run({ [name]: () => ({ type: 'stop', reason: 'enough' }) })).rejects.toMatchObject({ name: 'PromptCancelledError', reason: 'enough' })
    await expect(run({ [name]: (ctx: { cancel(reason?: string): never }) => ctx.cancel() })).rejects.toMatchObject({ reason: '<no reason given>' })
  })

  it.each(['onTextDelta', 'onReasoningDelta', 'onToolCallDelta', 'onStreamCompletionResponseFinish'] as const)('stop a stream in %s', async (name) => {
    const turn: ScriptedTurn = { type: 'answer', content: [{ type: 'reasoning', content: [{ type: 'text', text: 'hm' }] }, { type: 'text', text: 'so' }, toolCall('c', 'look')] }
    const hook = { [name]: () => ({ type: 'stop', reason: 'enough' }) }
    const stream = new AgentBuilder(new ScriptedModel([turn])).tool(look).hook(hook).build().stream('Go')
    const seen: string[] = []
    const iterate = async () => {
      for await (const item of stream) seen.push(item.type)
    }
    await expect(iterate()).rejects.toMatchObject({ name: 'PromptCancelledError', reason: 'enough' })
    expect(seen).not.toContain('finalResponse')
  })
})
