import { describe, expect, it } from 'vitest'
import { isJsonObject, tryParseJson, type JsonObject } from '../../src/completion/json.ts'
import { Message } from '../../src/index.ts'
import { parseArguments } from '../../src/completion/parts-accumulator.ts'
import { parseMessage } from '../../src/completion/parse-message.ts'
import { HttpClient } from '../../src/http/http-client.ts'
import { retryAfterMs } from '../../src/http/retry.ts'
import { AnthropicCompletionModel } from '../../src/providers/anthropic/anthropic-completion-model.ts'
import type { HttpCompletionModel } from '../../src/providers/http-completion-model.ts'
import { ChatCompletionModel } from '../../src/providers/openai-compatible/chat-completion-model.ts'
import { OPENAI_DIALECT } from '../../src/providers/openai-compatible/chat-dialect.ts'
import { ResponsesCompletionModel } from '../../src/providers/openai/responses-completion-model.ts'
import { GRAMMARS, WHOLE_ANSWERS } from './grammar.ts'
import { inMemoryResponse } from './in-memory-response.ts'
import { checkChoice, typedError } from './invariants.ts'
import { changed, junk, mutated, textOf } from './mutations.ts'
import { fuzz, FUZZ_TIMEOUT_MS, type Random } from './random.ts'

const WIRES = ['responses', 'chat', 'messages'] as const

/** A client whose every request is answered with these bytes. */
function answering(status: number, body: Uint8Array, headers: Headers = new Headers()): HttpClient {
  const response = { ...inMemoryResponse([body]), status, header: (name: string) => headers.get(name) ?? undefined, headers: () => headers }
  return new HttpClient({ provider: 'test', baseUrl: 'http://127.0.0.1', headers: {}, retry: false, transport: { send: async () => response } })
}

const MODELS: Readonly<Record<(typeof WIRES)[number], (http: HttpClient) => HttpCompletionModel>> = {
  responses: (http) => new ResponsesCompletionModel({ http, model: 'm', systemInstructions: 'instructions', strictTools: undefined, replayPhase: true, itemForm: 'full', serverState: false }),
  chat: (http) => new ChatCompletionModel({ http, model: 'm', provider: 'test', dialect: { ...OPENAI_DIALECT, thinkTags: true }, strictTools: undefined }),
  messages: (http) => new AnthropicCompletionModel({ http, model: 'm' }),
}

const REQUEST = { messages: [Message.user('Hi')] }

/** One answer of any kind, most of them nearly right. */
function answerText(random: Random, wire: (typeof WIRES)[number]): string {
  if (random.oneIn(20)) return textOf(junk(random))
  if (random.oneIn(20)) return mutated(random, GRAMMARS[random.pick(WIRES)](random)).join('\n')
  const text = textOf(changed(random, WHOLE_ANSWERS[random.oneIn(10) ? random.pick(WIRES) : wire](random), random.below(4)))
  return random.oneIn(20) ? text.slice(0, random.below(text.length)) : text
}

describe.each(WIRES)('A whole answer on %s', (wire) => {
  it('is well-formed, or an error of ours, whatever the body is', async () => {
    await fuzz(async (random) => {
      const model = MODELS[wire](answering(200, random.oneIn(30) ? random.bytes(300) : Buffer.from(answerText(random, wire))))
      try {
        const { choice, usage } = await model.completion(REQUEST, { includeRaw: true })
        checkChoice(choice, wire)
        for (const tokens of Object.values(usage)) expect(typeof tokens).toBe('number')
      } catch (error) {
        typedError(error)
      }
      return 1
    })
  }, FUZZ_TIMEOUT_MS)

  it('is read when it is valid', async () => {
    await fuzz(async (random) => {
      const body = WHOLE_ANSWERS[wire](random)
      const outcome = await MODELS[wire](answering(200, Buffer.from(textOf(body)))).completion(REQUEST).then(({ choice }) => checkChoice(choice, wire), (error: unknown) => typedError(error).message)
      expect([undefined, 'The answer is empty']).toContain(outcome)
      return 1
    })
  }, FUZZ_TIMEOUT_MS)
})

describe('A refusal', () => {
  it('tells its status whatever its body and its headers are', async () => {
    await fuzz(async (random) => {
      const wire = random.pick(WIRES)
      const error = textOf(changed(random, { error: { message: 'No.', type: 'invalid_request_error', code: 'bad', param: null }, request_id: 'req_1' }, random.below(3)))
      const body = random.oneIn(3) ? random.bytes(200) : Buffer.from(random.oneIn(5) ? error.slice(0, random.below(error.length)) : error)
      const status = 300 + random.below(300)
      const failure = typedError(await MODELS[wire](answering(status, body, oddHeaders(random))).completion(REQUEST).catch((reason: unknown) => reason))
      expect([failure.kind, failure.status, typeof failure.message, failure.bodyText?.length]).toEqual(['provider_response', status, 'string', body.toString('utf8').length])
      return 1
    })
  }, FUZZ_TIMEOUT_MS)
})

const TIMES = ['', ' ', '0', '1', '-1', '1.5', '1e3', '1e999', '-1e999', 'NaN', 'Infinity', '0x10', 'soon', '7 seconds', 'Wed, 21 Oct 2037 07:28:00 GMT', 'Wed, 21 Oct 1970 07:28:00 GMT', '2037-01-01', '99999999999999999999', '1,2', '１']

function oddHeaders(random: Random): Headers {
  const headers = new Headers()
  for (const name of ['retry-after', 'retry-after-ms', 'x-should-retry', 'x-request-id', 'request-id']) {
    const value = random.oneIn(3) ? String(random.below(100_000)) : random.pick(TIMES)
    if (random.oneIn(2) && /^[\x20-\xff]*$/.test(value)) headers.append(name, value)
  }
  return headers
}

describe('The pause that a server asks for', () => {
  it('is a number of milliseconds from nothing up, or none', async () => {
    await fuzz((random) => {
      const pause = retryAfterMs(oddHeaders(random), Date.now())
      if (pause !== undefined && !(pause >= 0)) throw new Error(`A pause of ${pause}`)
      return 1
    })
  }, FUZZ_TIMEOUT_MS)
})

describe('Arguments', () => {
  it('are an object, with an error beside it when the text is none', async () => {
    await fuzz((random) => {
      const valid = textOf(changed(random, { place: 'Rome', list: [1, { deep: null }], text: 'a "b"' }, random.below(4)))
      const text = random.pick([valid, valid.slice(0, random.below(valid.length)), JSON.stringify(valid), random.bytes(40).toString('utf8'), textOf(junk(random)), `${valid}${valid}`])
      const { value, error } = parseArguments(text)
      expect([isJsonObject(value), error === undefined || typeof error === 'string']).toEqual([true, true])
      if (error === undefined && isObjectText(text)) expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)))
      return 1
    })
  }, FUZZ_TIMEOUT_MS)
})

function isObjectText(text: string): boolean {
  return isJsonObject(tryParseJson(text))
}

const STORED: readonly JsonObject[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: [{ type: 'text', text: 'Hi' }, { type: 'image', source: { kind: 'url', url: 'https://example.org/a.png' }, detail: 'low' }, { type: 'document', source: { kind: 'text', text: 'a' }, filename: 'a.txt' }] },
  { role: 'user', content: [{ type: 'tool_result', id: 'call_1', name: 'look', content: [{ type: 'text', text: 'Rome' }, { type: 'json', value: { a: [1] } }], isError: true, provider: { callId: 'call_1' } }] },
  { role: 'user', content: { type: 'toolresult', id: 'a', call_id: 'b', content: [{ type: 'text', text: 'old' }] } },
  { role: 'assistant', id: 'msg_1', content: [{ text: 'old' }, { id: 'a', call_id: 'b', function: { name: 'look', arguments: { place: 'Rome' } } }, { reasoning: ['so'] }], origin: { provider: 'openai', api: 'responses', model: 'm' } },
  { role: 'assistant', content: [{ type: 'reasoning', id: 'rs_1', content: [{ type: 'summary', text: 'so' }, { type: 'encrypted', data: 'x' }], meta: { openai: { itemId: 'x' } } }, { type: 'provider_item', provider: 'openai', raw: { type: 'web_search_call' } }] },
]

describe('A stored message', () => {
  it('is read, or refused with a TypeError that says where it is wrong', async () => {
    await fuzz((random) => {
      const text = textOf(changed(random, random.pick(STORED), random.below(5)))
      const json: unknown = JSON.parse(text)
      try {
        const message = parseMessage(json)
        if (message.role === 'assistant' && isCalm(text)) checkStored(message)
      } catch (error) {
        if (!(error instanceof TypeError) || !/^message/.test(error.message)) throw error
      }
      return 1
    })
  }, FUZZ_TIMEOUT_MS)
})

/** Deep values come out of a database only when somebody else has put them there; writing them again is refused by the model, not here. */
function isCalm(text: string): boolean {
  return tryParseJson(text) !== undefined
}

/** What was read once is read again as the same. */
function checkStored(message: ReturnType<typeof parseMessage>): void {
  expect(parseMessage(JSON.parse(JSON.stringify(message)))).toEqual(JSON.parse(JSON.stringify(message)))
}
