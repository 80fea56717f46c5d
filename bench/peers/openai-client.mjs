// The official client without an agent: its stream, and the loop that its documentation shows.
import OpenAI from 'openai'

const TOOLS = [
  {
    type: 'function',
    name: 'lookup',
    description: 'Looks up what a file says.',
    strict: false,
    parameters: { type: 'object', properties: { step: { type: 'number' }, path: { type: 'string' }, reason: { type: 'string' } }, required: ['step', 'path', 'reason'] },
  },
]
const PROMPT = 'Look at every file of the workspace and say what you found.'

export function createClient(url) {
  const client = new OpenAI({ apiKey: 'bench', baseURL: url })
  return {
    async streamText(model) {
      let deltas = 0
      let text = ''
      for await (const event of await client.responses.create({ model, input: PROMPT, stream: true })) {
        if (event.type !== 'response.output_text.delta') continue
        deltas += 1
        text += event.delta
      }
      if (text === '') throw new Error('no text arrived')
      return deltas
    },
    async runSteps(model, lookup) {
      const input = [{ role: 'user', content: PROMPT }]
      for (let steps = 0; ; ) {
        const calls = []
        for await (const event of await client.responses.create({ model, input, tools: TOOLS, stream: true })) {
          if (event.type === 'response.output_item.done' && event.item.type === 'function_call') calls.push(event.item)
        }
        if (calls.length === 0) return steps
        input.push(...calls)
        for (const call of calls) input.push({ type: 'function_call_output', call_id: call.call_id, output: lookup(JSON.parse(call.arguments)) })
        steps += calls.length
      }
    },
  }
}
