/** Our runtime as a program would use it: an agent, its stream, a tool with a checked schema. */
import { openai, tool } from '@buildscale/rig'
import { z } from 'zod'
import { LOOKUP_DESCRIPTION, PROMPT, type BenchClient, type Lookup, type LookupArguments } from './bench-client.ts'

const MAXIMUM_STEPS = 10_000

// Schema and tool are made once, as in any program: making them costs more than many steps do.
const LOOKUP_SCHEMA = z.object({ step: z.number(), path: z.string(), reason: z.string() })

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

const lookupTool = tool({ name: 'lookup', description: LOOKUP_DESCRIPTION, parameters: LOOKUP_SCHEMA, call: (given, { deps }) => lookUp(deps, given) })

/** The function to call comes with the run, as a workspace or a connection would. */
function lookUp(deps: unknown, given: LookupArguments): string {
  if (!isDeps(deps)) throw new Error('the run was given no lookup')
  return deps.lookup(given)
}

function isDeps(deps: unknown): deps is { readonly lookup: Lookup } {
  return typeof deps === 'object' && deps !== null && 'lookup' in deps
}

async function runAgent(client: openai.Client, { model, lookup }: { readonly model: string; readonly lookup: Lookup }): Promise<number> {
  const agent = client.agent(model).tool(lookupTool).defaultMaxTurns(MAXIMUM_STEPS).build()
  let steps = 0
  for await (const item of agent.streamPrompt(PROMPT).withDeps({ lookup })) if (item.type === 'streamUserItem') steps += 1
  return steps
}
