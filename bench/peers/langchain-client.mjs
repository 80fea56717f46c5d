// `langchain`: `createAgent` on `ChatOpenAI` over the Responses API, its messages streamed.
import { ChatOpenAI } from '@langchain/openai'
import { createAgent, tool } from 'langchain'
import { z } from 'zod'

const LOOKUP_SCHEMA = z.object({ step: z.number(), path: z.string(), reason: z.string() })
const PROMPT = 'Look at every file of the workspace and say what you found.'

export function createClient(url) {
  const chat = (model) => new ChatOpenAI({ model, apiKey: 'bench', streaming: true, useResponsesApi: true, configuration: { baseURL: url } })
  const messagesOf = (agent) => agent.stream({ messages: [{ role: 'user', content: PROMPT }] }, { streamMode: 'messages', recursionLimit: 100_000 })
  return {
    async streamText(model) {
      let deltas = 0
      let text = ''
      for await (const [message] of await messagesOf(createAgent({ model: chat(model), tools: [] }))) {
        if (message.text === '') continue
        deltas += 1
        text += message.text
      }
      if (text === '') throw new Error('no text arrived')
      return deltas
    },
    async runSteps(model, lookup) {
      const lookupTool = tool((given) => lookup(given), { name: 'lookup', description: 'Looks up what a file says.', schema: LOOKUP_SCHEMA })
      let steps = 0
      for await (const [message] of await messagesOf(createAgent({ model: chat(model), tools: [lookupTool] }))) if (message.type === 'tool') steps += 1
      return steps
    },
  }
}
