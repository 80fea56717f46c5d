import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { MaxTurnsError, StructuredOutputError } from '../errors.ts'
import { calls, says, ScriptedModel, toolCall, type ScriptedTurn } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { AgentBuilder } from './agent-builder.ts'
import type { OutputMode } from './output-schema.ts'

const Point = z.object({ x: z.number(), y: z.number(), label: z.string().optional() })
const point = '{"x":1,"y":2}'
const ran: string[] = []
const look = tool({ name: 'look', description: 'Looks.', call: () => {
  ran.push('look')
  return 'seen'
} })

function agentOf(turns: readonly ScriptedTurn[], mode: OutputMode, { tools = [look], composes = true } = {}) {
  const model = new ScriptedModel(turns, { nativeOutputComposesWithTools: composes })
  return { model, agent: new AgentBuilder(model).preamble('Be exact.').tools(tools).outputSchema(Point, { mode }).build() }
}

describe('an agent with an output schema', () => {
  it('asks the provider for the form and gives the checked value', async () => {
    const { model, agent } = agentOf([says(point)], 'native')
    const response = await agent.run('Where?')
    expect(response).toMatchObject({ output: point, structured: { x: 1, y: 2 } })
    expect(model.requests[0]?.outputSchema).toMatchObject({ strict: true, schema: { type: 'object', required: ['x', 'y'] } })
  })

  it('sends an answer back that does not fit, once, and says what is wrong with it', async () => {
    const { model, agent } = agentOf([says('{"x":"one"}'), says(point)], 'native')
    const response = await agent.run('Where?')
    expect(response.structured).toEqual({ x: 1, y: 2 })
    expect(response.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant'])
    expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toContain('y: required, but missing')
    await expect(agentOf([says('no'), says('still no')], 'native').agent.run('Where?')).rejects.toMatchObject({ name: 'StructuredOutputError', raw: 'still no' })
  })

  it('spends no more model calls on it than the run has', async () => {
    const { agent, model } = agentOf([says('no'), says(point)], 'native')
    await expect(agent.run('Where?', { maxTurns: 1 })).rejects.toBeInstanceOf(StructuredOutputError)
    expect(model.requests).toHaveLength(1)
  })

  it('may be sent back again after the model has worked with its tools', async () => {
    const { agent } = agentOf([says('no'), calls(toolCall('c1', 'look')), says('no'), says(point)], 'native')
    await expect(agent.run('Where?')).resolves.toMatchObject({ structured: { x: 1, y: 2 } })
  })

  it('takes null for an optional field that a strict provider had to fill', async () => {
    const { agent } = agentOf([says('{"x":1,"y":2,"label":null}')], 'native')
    await expect(agent.run('Where?')).resolves.toMatchObject({ structured: { x: 1, y: 2 } })
  })

  it('puts the schema into words where that is wanted, and reads JSON out of a fence', async () => {
    const { model, agent } = agentOf([says(`Here it is:\n\`\`\`json\n${point}\n\`\`\``)], 'prompted')
    const response = await agent.run('Where?')
    expect(response.structured).toEqual({ x: 1, y: 2 })
    expect(response.output).toContain('Here it is')
    expect(model.requests[0]?.outputSchema).toBeUndefined()
    expect(JSON.stringify(model.requests[0]?.messages[0])).toMatch(/Be exact.*JSON Schema/)
  })

  it('uses the native form unless that would keep the model from its tools', async () => {
    const native = agentOf([says(point)], 'auto')
    await native.agent.run('Where?')
    expect(native.model.requests[0]?.outputSchema).toBeDefined()
    const suppressed = agentOf([calls(toolCall('c1', 'final_result', { x: 1, y: 2 }))], 'auto', { composes: false })
    await expect(suppressed.agent.run('Where?')).resolves.toMatchObject({ structured: { x: 1, y: 2 } })
    expect(suppressed.model.requests[0]?.tools?.map(({ name }) => name)).toEqual(['look', 'final_result'])
    const alone = agentOf([says(point)], 'auto', { composes: false, tools: [] })
    await alone.agent.run('Where?')
    expect(alone.model.requests[0]?.outputSchema).toBeDefined()
  })
})

describe('an answer given as a tool call', () => {
  it('ends the run without running the other calls of its turn, and is kept as text', async () => {
    ran.length = 0
    const answer: ScriptedTurn = { type: 'answer', content: [{ type: 'text', text: 'Done: ' }, toolCall('c1', 'look'), toolCall('c2', 'final_result', { x: 1, y: 2 })] }
    const { agent } = agentOf([answer], 'tool')
    const response = await agent.run('Where?')
    expect(response).toMatchObject({ output: point, structured: { x: 1, y: 2 }, finishReason: 'stop' })
    expect(response.messages.at(-1)).toMatchObject({ role: 'assistant', content: [{ type: 'text', text: 'Done: ' }, { type: 'text', text: point }] })
    expect(ran).toEqual([])
  })

  it('is asked for again, with every call of the turn answered, when fields are missing', async () => {
    const { agent, model } = agentOf([calls(toolCall('c1', 'look'), toolCall('c2', 'final_result', { x: 1 })), calls(toolCall('c3', 'final_result', { x: 1, y: 2 }))], 'tool')
    await expect(agent.run('Where?')).resolves.toMatchObject({ output: point })
    const results = JSON.stringify(model.requests[1]?.messages.at(-1))
    expect(results).toMatch(/"id":"c1".*Not run.*"id":"c2".*y: required, but missing.*final_result/)
  })

  it('may as well be plain text that fits; other text is asked for as a call', async () => {
    await expect(agentOf([says(point)], 'tool').agent.run('Where?')).resolves.toMatchObject({ structured: { x: 1, y: 2 } })
    const { agent, model } = agentOf([says('at one, two'), calls(toolCall('c1', 'final_result', { x: 1, y: 2 }))], 'tool')
    await expect(agent.run('Where?')).resolves.toMatchObject({ output: point })
    expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toContain('call of final_result')
  })

  it('leaves its name to a tool of the agent', async () => {
    const own = tool({ name: 'final_result', description: 'Something else.', call: () => 'mine' })
    const { agent, model } = agentOf([calls(toolCall('c1', 'final_result')), calls(toolCall('c2', 'final_result_2', { x: 1, y: 2 }))], 'tool', { tools: [own] })
    await expect(agent.run('Where?')).resolves.toMatchObject({ output: point })
    expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toContain('mine')
  })

  it('is demanded in the last permitted call when an answer is wanted at the limit', async () => {
    const { agent, model } = agentOf([calls(toolCall('c1', 'look')), calls(toolCall('c2', 'final_result', { x: 1, y: 2 }))], 'tool')
    await expect(agent.run('Where?', { maxTurns: 2, onMaxTurns: 'answer' })).resolves.toMatchObject({ output: point })
    expect(model.requests[1]?.toolChoice).toEqual({ type: 'specific', functionNames: ['final_result'] })
    await expect(agentOf([calls(toolCall('c1', 'look'))], 'tool').agent.run('Where?', { maxTurns: 1 })).rejects.toBeInstanceOf(MaxTurnsError)
  })
})

describe('a typed prompt', () => {
  it('gives the value in the type of its schema, transformed as the schema says', async () => {
    const agent = new AgentBuilder(new ScriptedModel([says('{"when":"2026-01-02"}'), says('{"when":"2026-01-02"}')])).build()
    const schema = z.object({ when: z.string().transform((text) => new Date(text)) })
    const { when } = await agent.promptTyped('When?', schema)
    expect(when.getUTCFullYear()).toBe(2026)
    const { output, usage } = await agent.promptTyped('When?', schema).extendedDetails()
    expect([output.when.getUTCDate(), usage.totalTokens]).toEqual([2, 0])
  })

  it('streams like any other run', async () => {
    const { agent } = agentOf([says(point)], 'native')
    const stream = agent.streamPrompt('Where?')
    for await (const item of stream) if (item.type === 'finalResponse') expect(item.response.structured).toEqual({ x: 1, y: 2 })
    await expect(stream.response).resolves.toMatchObject({ structured: { x: 1, y: 2 } })
  })
})
