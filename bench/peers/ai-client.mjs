// The `ai` package with its OpenAI provider: `streamText` with a tool and a limit of steps.
import { createOpenAI } from '@ai-sdk/openai'
import { stepCountIs, streamText, tool } from 'ai'
import { z } from 'zod'

const LOOKUP_SCHEMA = z.object({ step: z.number(), path: z.string(), reason: z.string() })
const PROMPT = 'Look at every file of the workspace and say what you found.'

export function createClient(url) {
  const provider = createOpenAI({ apiKey: 'bench', baseURL: url })
  return {
    async streamText(model) {
      let deltas = 0
      let text = ''
      for await (const part of streamText({ model: provider(model), prompt: PROMPT, onError: fail }).fullStream) {
        if (part.type !== 'text-delta') continue
        deltas += 1
        text += part.text
      }
      if (text === '') throw new Error('no text arrived')
      return deltas
    },
    async runSteps(model, lookup) {
      const lookupTool = tool({
        description: 'Looks up what a file says.',
        inputSchema: LOOKUP_SCHEMA,
        execute: (given) => lookup(given),
      })
      let steps = 0
      const stream = streamText({ model: provider(model), prompt: PROMPT, tools: { lookup: lookupTool }, stopWhen: stepCountIs(10_000), onError: fail })
      for await (const part of stream.fullStream) if (part.type === 'tool-result') steps += 1
      return steps
    },
  }
}

function fail({ error }) {
  throw error
}
