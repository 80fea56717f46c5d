/** Our runtime as a program would use it: an agent, its stream, a tool with a checked schema. */
import { openai, tool } from '@buildscale/rig'
import { z } from 'zod'
import { LOOKUP_DESCRIPTION, PROMPT, type BenchClient, type Lookup } from './bench-client.ts'

const MAXIMUM_STEPS = 10_000

export function createClient(url: string): BenchClient {
  const client = new openai.Client({ apiKey: 'bench', baseUrl: url })
  return {
    streamText: (model) => countDeltas(client, model),
    runSteps: (model, lookup) => runAgent(client, { model, lookup }),
  }
}

async function countDeltas(client: openai.Client, model: string): Promise<number> {
  let deltas = 0
  let text = ''
  for await (const item of client.agent(model).build().streamPrompt(PROMPT)) {
    if (item.type !== 'streamAssistantItem' || item.item.type !== 'text') continue
    deltas += 1
    text += item.item.text
  }
  if (text === '') throw new Error('no text arrived')
  return deltas
}

async function runAgent(client: openai.Client, { model, lookup }: { readonly model: string; readonly lookup: Lookup }): Promise<number> {
  const lookupTool = tool({
    name: 'lookup',
    description: LOOKUP_DESCRIPTION,
    parameters: z.object({ step: z.number(), path: z.string(), reason: z.string() }),
    call: (given) => lookup(given),
  })
  const agent = client.agent(model).tool(lookupTool).defaultMaxTurns(MAXIMUM_STEPS).build()
  let steps = 0
  for await (const item of agent.streamPrompt(PROMPT)) if (item.type === 'streamUserItem') steps += 1
  return steps
}
