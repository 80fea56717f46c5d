import { describe, expect, it } from 'vitest'
import { postTo, withSim, type Item } from '../../test/sim-client.ts'

const user = { role: 'user', content: 'hi' }
const call = (id: string): Item => ({ id, type: 'function', function: { name: 'ls', arguments: '{}' } })
const asks = (...ids: string[]): Item => ({ role: 'assistant', tool_calls: ids.map((id) => call(id)) })
const result = (id: string): Item => ({ role: 'tool', tool_call_id: id, content: 'x' })
const talk = (...messages: unknown[]): Item => ({ model: 'gpt-4o', messages: [user, ...messages] })
const withTool = (fields: object): Item => ({ ...talk(), tools: [{ type: 'function', function: { name: 'ls', parameters: { type: 'object' }, ...fields } }] })

describe('refuses what OpenAI refuses', () => {
  const cases: [string, unknown, string | RegExp, string | null][] = [
    ['a body that is not JSON', '{', /could not parse the JSON body/, null],
    ['a missing model', { messages: [user] }, "Missing required parameter: 'model'.", 'missing_required_parameter'],
    ['missing messages', { model: 'gpt-4o' }, "Missing required parameter: 'messages'.", 'missing_required_parameter'],
    ['no messages', { model: 'gpt-4o', messages: [] }, /empty array/, 'empty_array'],
    ['an unknown parameter', { ...talk(), input: 'hi' }, "Unknown parameter: 'input'.", 'unknown_parameter'],
    ['an unknown role', talk({ role: 'robot', content: 'hi' }), /^Invalid value: 'robot'\. Supported values are: 'system'/, 'invalid_value'],
    ['a message without a role', talk({ content: 'hi' }), "Missing required parameter: 'messages[1].role'.", 'missing_required_parameter'],
    ['a user message without content', talk({ role: 'user' }), /expected a string, got null/, null],
    ['an assistant message without content or calls', talk({ role: 'assistant', content: null }), /expected a string, got null/, null],
    ['an unknown kind of content', talk({ role: 'user', content: [{ type: 'input_text', text: 'hi' }] }), /^Invalid value: 'input_text'/, 'invalid_value'],
    ['an image from a tool', talk(asks('a'), { ...result('a'), content: [{ type: 'image_url', image_url: { url: 'x' } }] }), /^Invalid value: 'image_url'/, 'invalid_value'],
    ['a result without its call', talk(result('a')), /must be a response to a preceeding message with 'tool_calls'/, null],
    ['a result for another call', talk(asks('a'), result('b')), /'tool_call_id' of 'b' not found/, null],
    ['two results for one call', talk(asks('a'), result('a'), result('a')), /'tool_call_id' of 'a' not found/, null],
    ['a result without an id', talk(asks('a'), { role: 'tool', content: 'x' }), "Missing required parameter: 'messages[2].tool_call_id'.", 'missing_required_parameter'],
    ['a call without its result at the end', talk(asks('a')), /did not have response messages: a$/, null],
    ['one of two calls without its result', talk(asks('a', 'b'), result('a'), user), /did not have response messages: b$/, null],
    ['an empty list of calls', talk({ role: 'assistant', content: 'x', tool_calls: [] }), /'messages\[1\]\.tool_calls': empty array/, 'empty_array'],
    ['arguments that are an object', talk({ role: 'assistant', tool_calls: [{ ...call('a'), function: { name: 'ls', arguments: {} } }] }, result('a')), /function\.arguments'/, 'missing_required_parameter'],
    ['a tool name with a dot', withTool({ name: 'files.read' }), /does not match pattern/, 'invalid_value'],
    ['a schema that is no object', withTool({ parameters: {} }), /schema must be a JSON Schema of 'type: "object"'/, 'invalid_function_parameters'],
    ['a choice of tool without tools', { ...talk(), tool_choice: 'auto' }, /only allowed when 'tools' are specified/, null],
    ['a choice of a tool that is not offered', { ...withTool({}), tool_choice: { type: 'function', function: { name: 'rm' } } }, /Tool choice 'rm' not found/, null],
    ['stream options without a stream', { ...talk(), stream_options: { include_usage: true } }, /only allowed when 'stream' is enabled/, null],
    ['max_tokens for a model that thinks', { ...talk(), model: 'gpt-5-mini', max_tokens: 50 }, /Use 'max_completion_tokens' instead/, 'unsupported_parameter'],
    ['an output limit of nothing', { ...talk(), max_tokens: 0 }, /Expected a value >= 1/, 'integer_below_min_value'],
  ]
  it.each(cases)('%s', async (...[, body, message, code]) => {
    await withSim({}, async (sim) => {
      const reply = await postTo(sim, '/chat/completions', body)
      const { error } = (await reply.json()) as { error: Item }
      expect({ status: reply.status, ...error }).toEqual({ status: 400, type: 'invalid_request_error', param: error['param'], code, message: typeof message === 'string' ? message : expect.stringMatching(message) })
      expect(reply.headers.get('x-request-id')).toMatch(/^req_/)
    })
  })
})

it('accepts what it would refuse elsewhere: several results in any order, instructions of a developer, calls of an earlier turn', () =>
  withSim({}, async (sim) => {
    const messages = [{ role: 'developer', content: [{ type: 'text', text: 'Be brief.' }] }, user, asks('a', 'b'), result('b'), result('a'), { role: 'assistant', content: [{ type: 'text', text: 'ok' }] }, user]
    expect((await postTo(sim, '/chat/completions', { model: 'gpt-5', messages, max_completion_tokens: 50 })).status).toBe(200)
  }))
