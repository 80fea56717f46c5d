// `@earendil-works/pi-agent-core`: its `Agent`, watched by a subscriber, over the Responses API.
import { Agent } from '@earendil-works/pi-agent-core'
import { Type } from '@earendil-works/pi-ai'
import { streamSimple } from '@earendil-works/pi-ai/api/openai-responses'

const LOOKUP_SCHEMA = Type.Object({ step: Type.Number(), path: Type.String(), reason: Type.String() })
const PROMPT = 'Look at every file of the workspace and say what you found.'

export function createClient(url) {
  const modelOf = (id) => ({
    id,
    name: id,
    api: 'openai-responses',
    provider: 'bench',
    baseUrl: url,
    reasoning: false,
    input: ['text'],
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    contextWindow: 100_000_000,
    maxTokens: 100_000,
  })
  return {
    async streamText(model) {
      let deltas = 0
      let text = ''
      await run({ model: modelOf(model) }, (event) => {
        if (event.type !== 'message_update' || event.assistantMessageEvent.type !== 'text_delta') return
        deltas += 1
        text += event.assistantMessageEvent.delta
      })
      if (text === '') throw new Error('no text arrived')
      return deltas
    },
    async runSteps(model, lookup) {
      const lookupTool = {
        name: 'lookup',
        label: 'Look up',
        description: 'Looks up what a file says.',
        parameters: LOOKUP_SCHEMA,
        execute: async (_id, given) => ({ content: [{ type: 'text', text: lookup(given) }], details: undefined }),
      }
      let steps = 0
      await run({ model: modelOf(model), tools: [lookupTool] }, (event) => {
        if (event.type === 'tool_execution_end') steps += 1
      })
      return steps
    },
  }
}

async function run(initialState, watch) {
  const agent = new Agent({ initialState, streamFn: streamSimple, getApiKey: () => 'bench' })
  agent.subscribe(watch)
  await agent.prompt(PROMPT)
  if (agent.state.errorMessage !== undefined) throw new Error(agent.state.errorMessage)
}
