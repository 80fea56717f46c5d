// `@openai/agents`: an agent with a tool, run as a stream, over the Responses API.
import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from '@openai/agents'
import { z } from 'zod'

const LOOKUP_SCHEMA = z.object({ step: z.number(), path: z.string(), reason: z.string() })
const PROMPT = 'Look at every file of the workspace and say what you found.'

setTracingDisabled(true)

export function createClient(url) {
  const runner = new Runner({ modelProvider: new OpenAIProvider({ apiKey: 'bench', baseURL: url, useResponses: true }), tracingDisabled: true })
  return {
    async streamText(model) {
      let deltas = 0
      let text = ''
      const stream = await runner.run(new Agent({ name: 'bench', model }), PROMPT, { stream: true })
      for await (const event of stream) {
        if (event.type !== 'raw_model_stream_event' || event.data.type !== 'output_text_delta') continue
        deltas += 1
        text += event.data.delta
      }
      if (text === '') throw new Error('no text arrived')
      return deltas
    },
    async runSteps(model, lookup) {
      const lookupTool = tool({ name: 'lookup', description: 'Looks up what a file says.', parameters: LOOKUP_SCHEMA, execute: (given) => lookup(given) })
      let steps = 0
      const stream = await runner.run(new Agent({ name: 'bench', model, tools: [lookupTool] }), PROMPT, { stream: true, maxTurns: 10_000 })
      for await (const event of stream) if (event.type === 'run_item_stream_event' && event.name === 'tool_output') steps += 1
      return steps
    },
  }
}
