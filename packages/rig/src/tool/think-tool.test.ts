import { describe, expect, it } from 'vitest'
import { AgentBuilder } from '../agent/agent-builder.ts'
import type { JsonObject } from '../completion/json.ts'
import { calls, says, ScriptedModel, toolCall } from '../testing/scripted-model.ts'
import { thinkTool } from './think-tool.ts'

/** The message in which the model is shown the result of its call. */
async function resultOf(args: JsonObject) {
  const model = new ScriptedModel([calls(toolCall('c1', 'think', args)), says('done')])
  expect(await new AgentBuilder(model).tool(thinkTool()).build().prompt('go')).toBe('done')
  return model.requests[1]?.messages.at(-1)
}

describe('the tool think', () => {
  it('gives the model its own thought back, to the letter', async () => {
    const thought = 'First "A",\nthen {"b": 1}.'
    expect(await resultOf({ thought })).toMatchObject({ content: [{ type: 'tool_result', content: [{ type: 'text', text: thought }] }] })
  })

  it('says what it expects when the thought is missing', async () => {
    expect(await resultOf({ thoughts: 'x' })).toMatchObject({ content: [{ content: [{ text: expect.stringContaining('thought: expected a string') }] }] })
  })

  it('is offered with one required argument', async () => {
    expect(await thinkTool().definition('')).toMatchObject({ name: 'think', parameters: { type: 'object', required: ['thought'] } })
  })
})
