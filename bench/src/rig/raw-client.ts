/**
 * The least that can be done on the transport that our runtime uses: decode once, find the line ends, parse the data line, switch on
 * its type. No types, no errors, no retries, no abort. Everything is measured against this.
 */
import { Agent, request, type IncomingMessage } from 'node:http'
import { PROMPT, LOOKUP_DESCRIPTION, type BenchClient, type Lookup } from './bench-client.ts'

interface Call {
  readonly id: string
  readonly callId: string
  readonly name: string
  readonly arguments: string
}

interface Answer {
  deltas: number
  text: string
  readonly calls: Call[]
}

const TOOLS = [
  {
    type: 'function',
    name: 'lookup',
    description: LOOKUP_DESCRIPTION,
    parameters: { type: 'object', properties: { step: { type: 'number' }, path: { type: 'string' }, reason: { type: 'string' } }, required: ['step', 'path', 'reason'] },
  },
]

export function createClient(url: string): BenchClient {
  const agent = new Agent({ keepAlive: true })
  const ask = (body: object): Promise<Answer> => post({ url: `${url}/responses`, agent, body: JSON.stringify(body) })
  return {
    streamText: async (model) => (await ask({ model, stream: true, input: [message()] })).deltas,
    runSteps: (model, lookup) => loop(ask, { model, lookup }),
  }
}

function message(): object {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text: PROMPT }] }
}

async function loop(ask: (body: object) => Promise<Answer>, { model, lookup }: { readonly model: string; readonly lookup: Lookup }): Promise<number> {
  const input: object[] = [message()]
  for (let steps = 0; ; ) {
    const { calls } = await ask({ model, stream: true, input, tools: TOOLS })
    if (calls.length === 0) return steps
    for (const call of calls) input.push({ type: 'function_call', id: call.id, call_id: call.callId, name: call.name, arguments: call.arguments })
    for (const call of calls) input.push({ type: 'function_call_output', call_id: call.callId, output: lookup(JSON.parse(call.arguments)) })
    steps += calls.length
  }
}

function post({ url, agent, body }: { readonly url: string; readonly agent: Agent; readonly body: string }): Promise<Answer> {
  return new Promise((done, failed) => {
    const headers = { 'content-type': 'application/json', authorization: 'Bearer bench', 'content-length': Buffer.byteLength(body) }
    const sent = request(url, { method: 'POST', agent, headers }, (reply) => receive(reply, done, failed))
    sent.on('error', failed)
    sent.end(body)
  })
}

function receive(reply: IncomingMessage, done: (answer: Answer) => void, failed: (error: Error) => void): void {
  if (reply.statusCode !== 200) return failed(new Error(`status ${String(reply.statusCode)}`))
  const answer: Answer = { deltas: 0, text: '', calls: [] }
  let rest = ''
  reply.setEncoding('utf8')
  reply.on('data', (chunk: string) => {
    let start = 0
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
      // "data: " is the only field that is read; 100 is "d". An unfinished line is searched once, however many chunks it comes in.
      if (rest !== '') takeLine(rest + chunk.slice(start, end), answer)
      else if (chunk.charCodeAt(start) === 100) take(JSON.parse(chunk.slice(start + 6, end)), answer)
      rest = ''
      start = end + 1
    }
    rest += chunk.slice(start)
  })
  reply.on('error', failed)
  reply.on('end', () => done(answer))
}

function takeLine(line: string, answer: Answer): void {
  if (line.charCodeAt(0) === 100) take(JSON.parse(line.slice(6)), answer)
}

interface WireEvent {
  readonly type: string
  readonly delta: string
  readonly item: { readonly type: string; readonly id: string; readonly call_id: string; readonly name: string; readonly arguments: string }
}

function take(event: WireEvent, answer: Answer): void {
  switch (event.type) {
    case 'response.output_text.delta':
      answer.deltas += 1
      answer.text += event.delta
      return
    case 'response.output_item.done':
      if (event.item.type === 'function_call') answer.calls.push({ id: event.item.id, callId: event.item.call_id, name: event.item.name, arguments: event.item.arguments })
      return
    default:
      return
  }
}
