/** What the tests of this package speak with: plain HTTP, so that nothing between them and the bytes is kind. */
import { startModelSim, type ModelSim, type ModelSimOptions } from '../src/index.ts'

export type Item = Record<string, unknown>

export async function withSim<Result>(options: ModelSimOptions, use: (sim: ModelSim) => Promise<Result>): Promise<Result> {
  const sim = await startModelSim(options)
  try {
    return await use(sim)
  } finally {
    await sim.close()
  }
}

export async function post(sim: ModelSim, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${sim.url}/responses`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) })
}

export type Path = '/responses' | '/chat/completions' | '/messages'

/** A body for any wire, with the headers that Anthropic demands. */
export async function postTo(sim: ModelSim, path: Path | '/embeddings', body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' }
  return fetch(`${sim.url}${path}`, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) })
}

/** A question of one user message, as each wire words it. */
export function question(path: Path, text: string): Item {
  switch (path) {
    case '/responses':
      return { model: 'gpt-4o', input: text }
    case '/chat/completions':
      return { model: 'gpt-4o', messages: [{ role: 'user', content: text }] }
    case '/messages':
      return { model: 'claude-sonnet-4-6', max_tokens: 512, messages: [{ role: 'user', content: text }] }
  }
}

/** The events of a whole stream. */
export async function streamEvents(sim: ModelSim, body: object): Promise<Item[]> {
  const reply = await post(sim, { ...body, stream: true })
  return parseEvents(await reply.text())
}

export function parseEvents(text: string): Item[] {
  return text.split('\n\n').filter((frame) => frame.includes('data: {')).map((frame) => JSON.parse(frame.slice(frame.indexOf('data: ') + 6)) as Item)
}

export function user(text: string): Item {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] }
}

export function functionTools(...names: string[]): Item[] {
  return names.map((name) => ({ type: 'function', name, description: name, parameters: { type: 'object', properties: {} } }))
}

export interface Call {
  readonly name: string
  readonly arguments: Record<string, unknown>
}

export interface Talk {
  /** The calls of each answer, in order. */
  readonly steps: Call[][]
  readonly thoughts: string[]
  readonly text: string
  /** The whole conversation, for a next turn. */
  readonly input: Item[]
}

const WORKSPACE_TOOLS = ['ls', 'read', 'write', 'edit', 'mkdir', 'mv', 'rm', 'touch', 'glob', 'grep', 'file_info']

export interface TalkOptions {
  /** What a tool answers: a value is sent as JSON, text as it is. */
  readonly run: (call: Call) => unknown
  readonly history?: Item[]
  readonly tools?: string[]
}

/** Talks until the model calls nothing any more. */
export async function talk(sim: ModelSim, prompt: string, options: TalkOptions): Promise<Talk> {
  const input: Item[] = [...(options.history ?? []), user(prompt)]
  const steps: Call[][] = []
  const thoughts: string[] = []
  for (let step = 0; step < 100; step += 1) {
    const output = await ask(sim, { input, tools: functionTools(...(options.tools ?? WORKSPACE_TOOLS)) })
    input.push(...output)
    const calls = output.filter((item) => item['type'] === 'function_call')
    thoughts.push(...output.filter((item) => item['type'] === 'reasoning').map((item) => (item['summary'] as { text: string }[])[0]?.text ?? ''))
    if (calls.length === 0) return { steps, thoughts, text: textOf(output), input }
    const parsed = calls.map((call) => ({ name: String(call['name']), arguments: JSON.parse(String(call['arguments'])) as Record<string, unknown> }))
    steps.push(parsed)
    parsed.forEach((call, index) => input.push({ type: 'function_call_output', call_id: calls[index]?.['call_id'], output: outputOf(options.run(call)) }))
  }
  throw new Error('the model never stopped calling tools')
}

async function ask(sim: ModelSim, body: object): Promise<Item[]> {
  const reply = await post(sim, { model: 'rules', ...body })
  const answer = (await reply.json()) as { output?: Item[] }
  if (answer.output === undefined) throw new Error(JSON.stringify(answer))
  return answer.output
}

function outputOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function textOf(output: Item[]): string {
  return output.filter((item) => item['type'] === 'message').flatMap((item) => (item['content'] as { text: string }[]).map((part) => part.text)).join('')
}
