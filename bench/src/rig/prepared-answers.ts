/** Bytes of streamed answers in the form of OpenAI's Responses API (https://platform.openai.com/docs/api-reference/responses-streaming), for what `model-sim` has no name for. */

/** What an answer says. Model names: */
export type AnswerPlan =
  /** `bench:together:STREAMS:DELTAS`: a text; none begins before as many requests as STREAMS have come, then all go on in turns. */
  | { readonly type: 'together'; readonly streams: number; readonly deltas: number }
  /** `bench:parallel:CALLS`: that many calls of `lookup` in one turn; a text once there are results. */
  | { readonly type: 'parallel'; readonly calls: number }
  /** `bench:arguments:DELTAS:CHARS`: one call of `lookup` whose arguments come in DELTAS pieces of CHARS characters; a text once there is a result. */
  | { readonly type: 'arguments'; readonly deltas: number; readonly chars: number }

/** `undefined` for other names. */
export function parsePlan(model: string): AnswerPlan | undefined {
  const [prefix, type, ...numbers] = model.split(':')
  const [first = 0, second = 0] = numbers.map(Number)
  if (prefix !== 'bench' || !(first > 0)) return undefined
  if (type === 'together' && second > 0) return { type, streams: first, deltas: second }
  if (type === 'parallel') return { type, calls: first }
  if (type === 'arguments' && second > 0) return { type, deltas: first, chars: second }
  return undefined
}

/** The events of an answer, each a frame. `hasResults`: whether the conversation holds results of calls. */
export function answerFrames(plan: AnswerPlan, hasResults: boolean): readonly string[] {
  const frames = new Frames()
  if (plan.type === 'together') frames.text(plan.deltas)
  else if (hasResults) frames.text(20)
  else if (plan.type === 'parallel') for (let step = 0; step < plan.calls; step += 1) frames.call(step, smallArguments(step))
  else frames.call(0, largeArguments(plan))
  return frames.end()
}

const WORDS = ['the ', 'files ', 'of ', 'this ', 'workspace ', 'are ', 'kept ', 'as ', 'versions, ', 'never ', 'lost. ']
const PADDING = 'k3Tq9ZbLw0VxNs7R'
const RESPONSE = { id: 'resp_bench', object: 'response', created_at: 1_700_000_000, model: 'bench', error: null, incomplete_details: null, tools: [], metadata: {} }
const USAGE = { input_tokens: 100, input_tokens_details: { cached_tokens: 0 }, output_tokens: 100, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 200 }

/** About twenty pieces of six characters, as a small call of a real model has. */
function smallArguments(step: number): readonly string[] {
  return JSON.stringify({ step, path: `/src/folder/file-${step}.ts`, reason: 'to see what is written there, and whether it is of use' }).match(/.{1,6}/gsu) ?? []
}

/** Lines of a program, with the escapes that they need. */
function largeArguments({ deltas, chars }: { readonly deltas: number; readonly chars: number }): readonly string[] {
  const line = 'export const answer = compute("the text of a line", [1, 2, 3])  // and what it is for\n'
  const [head = '', tail = ''] = JSON.stringify({ step: 0, path: '/src/large.ts', reason: '|' }).split('|')
  const escaped = JSON.stringify(line).slice(1, -1)
  const room = deltas * chars - head.length - tail.length
  const lines = escaped.repeat(Math.floor(room / escaped.length))
  const text = head + lines + 'x'.repeat(room - lines.length) + tail
  return Array.from({ length: deltas }, (_, index) => text.slice(index * chars, (index + 1) * chars))
}

class Frames {
  readonly #frames: string[] = []
  readonly #output: object[] = []

  constructor() {
    const response = { ...RESPONSE, status: 'in_progress', output: [], usage: null }
    this.#emit('response.created', { response })
    this.#emit('response.in_progress', { response })
  }

  text(deltas: number): void {
    const id = `msg_${this.#output.length}`
    const at = { item_id: id, output_index: this.#output.length, content_index: 0 }
    const words = Array.from({ length: deltas }, (_, index) => WORDS[index % WORDS.length] ?? '')
    const part = (text: string) => ({ type: 'output_text', annotations: [], logprobs: [], text })
    const item = { id, type: 'message', role: 'assistant' }
    this.#emit('response.output_item.added', { output_index: at.output_index, item: { ...item, status: 'in_progress', content: [] } })
    this.#emit('response.content_part.added', { ...at, part: part('') })
    for (const delta of words) this.#emit('response.output_text.delta', { ...at, delta, logprobs: [], obfuscation: PADDING.slice(delta.length) })
    this.#emit('response.output_text.done', { ...at, text: words.join(''), logprobs: [] })
    this.#emit('response.content_part.done', { ...at, part: part(words.join('')) })
    this.#done({ ...item, status: 'completed', content: [part(words.join(''))] })
  }

  call(step: number, deltas: readonly string[]): void {
    const item = { id: `fc_${step}`, type: 'function_call', call_id: `call_${step}`, name: 'lookup' }
    const at = { item_id: item.id, output_index: this.#output.length }
    this.#emit('response.output_item.added', { output_index: at.output_index, item: { ...item, status: 'in_progress', arguments: '' } })
    for (const delta of deltas) this.#emit('response.function_call_arguments.delta', { ...at, delta, obfuscation: PADDING.slice(delta.length % 16) })
    this.#emit('response.function_call_arguments.done', { ...at, arguments: deltas.join('') })
    this.#done({ ...item, status: 'completed', arguments: deltas.join('') })
  }

  end(): readonly string[] {
    this.#emit('response.completed', { response: { ...RESPONSE, status: 'completed', output: this.#output, usage: USAGE } })
    return this.#frames
  }

  #done(item: object): void {
    this.#emit('response.output_item.done', { output_index: this.#output.length, item })
    this.#output.push(item)
  }

  #emit(type: string, fields: object): void {
    this.#frames.push(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.#frames.length, ...fields })}\n\n`)
  }
}
