import { describe, expect, it } from 'vitest'
import { functionTools, post, streamEvents, user, withSim, type Item } from '../test/sim-client.ts'

const call = { type: 'function_call', call_id: 'call_a', name: 'ls', arguments: '{}' }
const output = { type: 'function_call_output', call_id: 'call_a', output: 'nothing' }

/** The error that the server answers to a body. */
async function refusal(body: unknown): Promise<{ status: number; message: string; code: string | null }> {
  return withSim({}, async (sim) => {
    const reply = await post(sim, body)
    const { error } = (await reply.json()) as { error: { message: string; code: string | null; type: string } }
    expect(error.type).toBe('invalid_request_error')
    expect(reply.headers.get('x-request-id')).toMatch(/^req_/)
    return { status: reply.status, message: error.message, code: error.code }
  })
}

describe('refuses what OpenAI refuses', () => {
  const conversation = (...items: Item[]): Item => ({ model: 'gpt-4o', input: [user('hi'), ...items] })
  const cases: [string, unknown, string | RegExp, string | null][] = [
    ['a body that is not JSON', '{', /could not parse the JSON body/, null],
    ['a missing model', { input: 'hi' }, "Missing required parameter: 'model'.", 'missing_required_parameter'],
    ['a missing input', { model: 'gpt-4o' }, "Missing required parameter: 'input'.", 'missing_required_parameter'],
    ['an unknown model', { model: 'gpt-99', input: 'hi' }, "The requested model 'gpt-99' does not exist.", 'model_not_found'],
    ['an unknown parameter', { model: 'gpt-4o', input: 'hi', max_tokens: 5 }, "Unknown parameter: 'max_tokens'.", 'unknown_parameter'],
    ['an output limit that is too small', { model: 'gpt-4o', input: 'hi', max_output_tokens: 5 }, /Expected a value >= 16/, 'integer_below_min_value'],
    ['a tool output without its call', conversation(output), 'No tool call found for function call output with call_id call_a.', null],
    ['a tool output before its call', conversation(output, call), 'No tool call found for function call output with call_id call_a.', null],
    ['a call without its output', conversation(call), 'No tool output found for function call call_a.', null],
    ['one of two calls without its output', conversation(call, { ...call, call_id: 'call_b' }, output), 'No tool output found for function call call_b.', null],
    ['two outputs for one call', conversation(call, output, output), /Duplicate function call output/, null],
    ['two calls with one call id', conversation(call, output, call, output), /Duplicate function call found/, null],
    ['a reasoning item at the end', conversation({ type: 'reasoning', id: 'rs_1', summary: [] }), "Item 'rs_1' of type 'reasoning' was provided without its required following item.", null],
    ['a reasoning item before a user message', conversation({ type: 'reasoning', id: 'rs_1', summary: [] }, user('go on')), /without its required following item/, null],
    ['an item id used twice', conversation({ ...call, id: 'fc_1' }, output, { ...call, id: 'fc_1', call_id: 'call_b' }, { ...output, call_id: 'call_b' }), /Duplicate item found with id fc_1/, null],
    ['a call id in place of an item id', conversation({ ...call, id: 'call_a' }, output), /Expected an ID that begins with 'fc'/, 'invalid_value'],
    ['a tool name with a dot', { ...conversation(), tools: functionTools('files.read') }, /does not match pattern/, 'invalid_value'],
    ['a tool name that is too long', { ...conversation(), tools: functionTools('a'.repeat(65)) }, /maximum length 64/, 'string_above_max_length'],
    ['a bad tool name in history', conversation({ ...call, name: 'files/read' }, output), /does not match pattern/, 'invalid_value'],
    ['a schema that is no object', { ...conversation(), tools: [{ type: 'function', name: 'ls', parameters: { type: 'string' } }] }, /schema must be a JSON Schema of 'type: "object"'/, 'invalid_function_parameters'],
    ['a choice of a tool that is not offered', { ...conversation(), tools: functionTools('ls'), tool_choice: { type: 'function', name: 'rm' } }, "Tool choice 'rm' not found in 'tools' parameter.", null],
    ['user words as output_text', { model: 'gpt-4o', input: [{ role: 'user', content: [{ type: 'output_text', text: 'hi' }] }] }, /Invalid value: 'output_text'/, 'invalid_value'],
    ['a call without arguments', conversation({ type: 'function_call', call_id: 'call_a', name: 'ls' }, output), "Missing required parameter: 'input[1].arguments'.", 'missing_required_parameter'],
    ['an unknown previous response', { model: 'gpt-4o', input: 'hi', previous_response_id: 'resp_1' }, "Previous response with id 'resp_1' not found.", 'previous_response_not_found'],
  ]
  it.each(cases)('%s', async (...[, body, message, code]) => {
    const found = await refusal(body)
    expect(found).toEqual({ status: 400, code, message: typeof message === 'string' ? message : expect.stringMatching(message) })
  })

  it('a reference to an item that it never made', async () => {
    expect(await refusal(conversation({ type: 'item_reference', id: 'rs_unknown' }))).toMatchObject({ status: 404, message: "Item with id 'rs_unknown' not found." })
  })
})

describe('holds clients to the pairs that it handed out', () => {
  const ask = { model: 'gpt-5', input: [user('list /')], tools: functionTools('ls'), include: ['reasoning.encrypted_content'], store: false }

  /** The answer to a request that led to reasoning and a call, then `next` with both in hand. */
  async function afterCall(next: (reasoning: Item, functionCall: Item) => Item[]): Promise<{ status: number; message: string }> {
    return withSim({}, async (sim) => {
      const { output: items } = (await (await post(sim, ask)).json()) as { output: [Item, Item] }
      const reply = await post(sim, { ...ask, input: [user('list /'), ...next(...items)] })
      const body = (await reply.json()) as { error: { message: string } | null }
      return { status: reply.status, message: body.error?.message ?? '' }
    })
  }
  const outputOf = (functionCall: Item): Item => ({ ...output, call_id: functionCall['call_id'] })

  it('accepts reasoning, call and output as they were', async () => {
    expect(await afterCall((reasoning, made) => [reasoning, made, outputOf(made)])).toEqual({ status: 200, message: '' })
  })
  it('refuses the call without its reasoning', async () => {
    const found = await afterCall((_reasoning, made) => [made, outputOf(made)])
    expect(found).toEqual({ status: 400, message: expect.stringMatching(/^Item 'fc_\w+' of type 'function_call' was provided without its required 'reasoning' item: 'rs_\w+'\.$/) })
  })
  it('accepts the call without its reasoning when its item id is gone too', async () => {
    expect(await afterCall((_reasoning, { id: _id, ...made }) => [made, outputOf(made)])).toMatchObject({ status: 200 })
  })
  it('refuses the reasoning without its call', async () => {
    expect(await afterCall((reasoning) => [reasoning])).toMatchObject({ status: 400, message: expect.stringMatching(/without its required following item/) })
  })
  it('refuses reasoning without its encrypted content when nothing is stored', async () => {
    const found = await afterCall(({ encrypted_content: _secret, ...reasoning }, made) => [reasoning, made, outputOf(made)])
    expect(found).toEqual({ status: 404, message: expect.stringMatching(/Items are not persisted when `store` is set to false/) })
  })
  it('refuses the encrypted content of another item', async () => {
    const foreign = Buffer.from('model-sim\nrs_other\ndone').toString('base64url')
    const found = await afterCall((reasoning, made) => [{ ...reasoning, encrypted_content: foreign }, made, outputOf(made)])
    expect(found).toEqual({ status: 400, message: expect.stringMatching(/could not be verified/) })
  })
})

describe('streams event for event', () => {
  it('text: every event with its index, ids and a growing sequence number', () =>
    withSim({ script: { turns: [{ text: 'Hello there' }] } }, async (sim) => {
      const events = await streamEvents(sim, { model: 'gpt-4o', input: 'hi' })
      expect(events.map((event) => event['type'])).toEqual([
        'response.created',
        'response.in_progress',
        'response.output_item.added',
        'response.content_part.added',
        'response.output_text.delta',
        'response.output_text.delta',
        'response.output_text.done',
        'response.content_part.done',
        'response.output_item.done',
        'response.completed',
      ])
      expect(events.map((event) => event['sequence_number'])).toEqual(events.map((_event, index) => index))
      const { item } = events[2] as { item: Item }
      expect(events.slice(4, 8).every((event) => event['item_id'] === item['id'] && event['output_index'] === 0 && event['content_index'] === 0)).toBe(true)
      expect(events.at(-1)).toMatchObject({ response: { status: 'completed', output: [{ id: item['id'], content: [{ type: 'output_text', text: 'Hello there' }] }], usage: { input_tokens: 1, output_tokens: 3, total_tokens: 4 } } })
    }))

  it('reasoning: three different encrypted values, in added, done and completed', () =>
    withSim({ script: { turns: [{ reasoning: ['First part.', 'Second part.'], calls: [{ name: 'ls' }] }] } }, async (sim) => {
      const events = await streamEvents(sim, { model: 'gpt-5', input: 'hi', tools: functionTools('ls'), include: ['reasoning.encrypted_content'] })
      const ofType = (type: string): Item[] => events.filter((event) => event['type'] === type)
      const secrets = [ofType('response.output_item.added')[0]?.['item'], ofType('response.output_item.done')[0]?.['item'], (ofType('response.completed')[0]?.['response'] as { output: Item[] }).output[0]]
      expect(new Set(secrets.map((item) => (item as Item)['encrypted_content'])).size).toBe(3)
      expect(ofType('response.reasoning_summary_part.done').map((event) => event['summary_index'])).toEqual([0, 1])
      expect(ofType('response.function_call_arguments.done')).toMatchObject([{ arguments: '{}', output_index: 1 }])
    }))

  it('a pair of calls: ids of their own, indexes in order', () =>
    withSim({ script: { turns: [{ calls: [{ name: 'ls' }, { name: 'ls', arguments: { path: '/a' } }] }] } }, async (sim) => {
      const events = await streamEvents(sim, { model: 'gpt-4o', input: 'hi', tools: functionTools('ls') })
      const done = events.filter((event) => event['type'] === 'response.output_item.done')
      expect(done.map((event) => event['output_index'])).toEqual([0, 1])
      expect(new Set(done.flatMap((event) => [(event['item'] as Item)['id'], (event['item'] as Item)['call_id']])).size).toBe(4)
    }))
})

describe('tells what it received', () => {
  it('GET /__requests lists requests in order with parsed bodies and without the key; DELETE forgets them', () =>
    withSim({}, async (sim) => {
      await post(sim, { model: 'rules', input: 'hi' }, { authorization: 'Bearer sk-private' })
      await post(sim, '{broken')
      const address = sim.url.replace('/v1', '/__requests')
      const listed = (await (await fetch(address)).json()) as Item[]
      expect(listed).toMatchObject([
        { number: 1, method: 'POST', path: '/v1/responses', headers: { authorization: 'Bearer [redacted]' }, body: { model: 'rules', input: 'hi' } },
        { number: 2, body: '{broken' },
      ])
      expect(JSON.stringify(listed)).not.toContain('sk-private')
      expect(sim.requests()).toEqual(listed)
      expect((await fetch(address, { method: 'DELETE' })).status).toBe(204)
      expect(sim.requests()).toEqual([])
    }))

  it('keeps the newest thousand', () =>
    withSim({}, async (sim) => {
      for (let index = 0; index < 1005; index += 1) await (await fetch(`${sim.url}/models`)).arrayBuffer()
      expect(sim.requests()).toHaveLength(1000)
      expect(sim.requests()[0]?.number).toBe(6)
    }))
})

describe('models and keys', () => {
  it('lists its models and shows one', () =>
    withSim({ models: ['rules', 'my-model'] }, async (sim) => {
      expect(await (await fetch(`${sim.url}/models`)).json()).toMatchObject({ object: 'list', data: [{ id: 'rules' }, { id: 'my-model' }] })
      expect(await (await fetch(`${sim.url}/models/my-model`)).json()).toMatchObject({ id: 'my-model', object: 'model' })
      expect((await fetch(`${sim.url}/models/other`)).status).toBe(404)
    }))

  it('accepts any name when told so', () =>
    withSim({ models: 'any' }, async (sim) => {
      expect((await post(sim, { model: 'whatever-9', input: 'hi' })).status).toBe(200)
    }))

  it('answers 401 as text/plain with a JSON body when a key is required and wrong, and needs none otherwise', async () => {
    await withSim({ apiKey: 'right' }, async (sim) => {
      const reply = await post(sim, { model: 'rules', input: 'hi' }, { authorization: 'Bearer wrong' })
      expect([reply.status, reply.headers.get('content-type')]).toEqual([401, 'text/plain; charset=utf-8'])
      expect(await reply.json()).toMatchObject({ error: { code: 'invalid_api_key' } })
      expect((await post(sim, { model: 'rules', input: 'hi' })).status).toBe(401)
      expect((await post(sim, { model: 'rules', input: 'hi' }, { authorization: 'Bearer right' })).status).toBe(200)
    })
    await withSim({}, async (sim) => expect((await post(sim, { model: 'rules', input: 'hi' })).status).toBe(200))
  })

  it('answers 404 for routes that it does not have', () => withSim({}, async (sim) => expect((await fetch(`${sim.url}/chat/completions`)).status).toBe(404)))
})

describe('the load model', () => {
  it('streams as many deltas as its name says', () =>
    withSim({}, async (sim) => {
      const events = await streamEvents(sim, { model: 'load:text:1234', input: 'go' })
      expect(events.filter((event) => event['type'] === 'response.output_text.delta')).toHaveLength(1234)
      expect(events.at(-1)).toMatchObject({ type: 'response.completed' })
    }))

  it('paces them when its name says a rate', () =>
    withSim({}, async (sim) => {
      const startedAt = performance.now()
      const events = await streamEvents(sim, { model: 'load:text:50:250', input: 'go' })
      expect(events.filter((event) => event['type'] === 'response.output_text.delta')).toHaveLength(50)
      expect(performance.now() - startedAt).toBeGreaterThan(180)
    }))

  it('gives different ids to different turns of one conversation', () =>
    withSim({}, async (sim) => {
      const first = (await (await post(sim, { model: 'load:text:3', input: [user('go')] })).json()) as { output: Item[] }
      const second = await post(sim, { model: 'load:text:3', input: [user('go'), ...first.output, user('again')] })
      const { output: items } = (await second.json()) as { output: Item[] }
      expect(items[0]?.['id']).not.toBe(first.output[0]?.['id'])
    }))

  it.each(['load:text:0', 'load:text:x', 'load:steps', 'load:other:5', 'load:text:99999999'])('refuses %s', async (model) => {
    expect(await refusal({ model, input: 'go' })).toMatchObject({ status: 400, code: 'model_not_found' })
  })
})
