import { describe, expect, it } from 'vitest'
import { postTo, withSim, type Item } from '../../test/sim-client.ts'

const user = { role: 'user', content: 'hi' }
const use = (id: string): Item => ({ type: 'tool_use', id, name: 'ls', input: {} })
const result = (id: string): Item => ({ type: 'tool_result', tool_use_id: id, content: 'x' })
const asks = (...blocks: Item[]): Item => ({ role: 'assistant', content: blocks })
const answers = (...blocks: Item[]): Item => ({ role: 'user', content: blocks })
const talk = (...messages: unknown[]): Item => ({ model: 'claude-sonnet-4-6', max_tokens: 100, messages: [user, ...messages] })
const text = (words: string): Item => ({ type: 'text', text: words })
const marked = { ...text('long'), cache_control: { type: 'ephemeral' } }
const withTool = (fields: object): Item => ({ ...talk(), tools: [{ name: 'ls', input_schema: { type: 'object' }, ...fields }] })

async function refusal(body: unknown, script?: object): Promise<{ status: number; type: unknown; message: unknown }> {
  return withSim(script === undefined ? {} : { script }, async (sim) => {
    const reply = await postTo(sim, '/messages', body)
    const { type, error, request_id: id } = (await reply.json()) as { type: string; error: Item; request_id: string }
    expect(type).toBe('error')
    expect(reply.headers.get('request-id')).toBe(id)
    return { status: reply.status, type: error['type'], message: error['message'] }
  })
}

describe('refuses what Anthropic refuses', () => {
  const NOT_ANSWERED = /^messages\.1: `tool_use` ids were found without `tool_result` blocks immediately after: a\./
  const cases: [string, unknown, string | RegExp][] = [
    ['a body that is not JSON', '{', /not valid JSON/],
    ['a missing model', { max_tokens: 1, messages: [user] }, 'model: Field required'],
    ['missing max_tokens', { model: 'claude-sonnet-4-6', messages: [user] }, 'max_tokens: Field required'],
    ['max_tokens of nothing', { ...talk(), max_tokens: 0 }, 'max_tokens: Input should be greater than or equal to 1'],
    ['missing messages', { model: 'claude-sonnet-4-6', max_tokens: 1 }, 'messages: Field required'],
    ['no messages', { ...talk(), messages: [] }, 'messages: at least one message is required'],
    ['an unknown parameter', { ...talk(), max_completion_tokens: 5 }, 'max_completion_tokens: Extra inputs are not permitted'],
    ['a system message', talk({ role: 'system', content: 'x' }), /^messages: Unexpected role "system"/],
    ['an unknown role', talk({ role: 'tool', content: 'x' }), /^messages: Unexpected role "tool"/],
    ['an unknown kind of block', talk(answers({ type: 'input_text', text: 'x' })), /^messages\.1\.content\.0: Input tag 'input_text' found using 'type' does not match any of the expected tags: 'text'/],
    ['a block without a type', talk(answers({ text: 'x' })), 'messages.1.content.0.type: Field required'],
    ['a call of the user', talk(answers(use('a'))), 'messages.1.content.0: `tool_use` blocks can only be in `assistant` messages'],
    ['a result of the assistant', talk(asks(result('a'))), 'messages.1.content.0: `tool_result` blocks can only be in `user` messages'],
    ['an empty user message', talk({ role: 'user', content: '' }), 'messages.1: user messages must have non-empty content'],
    ['an empty list of user blocks', talk(answers()), 'messages.1: user messages must have non-empty content'],
    ['an empty assistant message that is not the last', talk(asks(), user), /^messages\.1: all messages must have non-empty content/],
    ['an empty text', talk(answers(text(''))), 'messages: text content blocks must be non-empty'],
    ['a blank text', talk(answers(text(' \n'))), 'messages: text content blocks must contain non-whitespace text'],
    ['a beginning of the answer that ends in space', talk(asks(text('So '))), 'messages: final assistant content cannot end with trailing whitespace'],
    ['a call without its result at the end', talk(asks(use('a'))), NOT_ANSWERED],
    ['a call without its result', talk(asks(use('a')), user), NOT_ANSWERED],
    ['a result that does not come first', talk(asks(use('a')), answers(text('here'), result('a'))), NOT_ANSWERED],
    ['a result one message too late', talk(asks(use('a')), user, asks(text('hm')), answers(result('a'))), NOT_ANSWERED],
    ['one of two calls without its result', talk(asks(use('a'), use('b')), answers(result('b'))), NOT_ANSWERED],
    ['a result without its call', talk(asks(text('x')), answers(result('a'))), /^messages\.2\.content\.0: unexpected `tool_use_id` found in `tool_result` blocks: a\./],
    ['two results for one call', talk(asks(use('a')), answers(result('a'), result('a'))), /each tool_use must have a single result/],
    ['one id for two calls', talk(asks(use('a'), use('a')), answers(result('a'))), 'messages: `tool_use` ids must be unique'],
    ['an input that is text', talk(asks({ ...use('a'), input: '{}' }), answers(result('a'))), 'messages.1.content.0.tool_use.input: Input should be a valid dictionary'],
    ['an id with a dot', talk(asks(use('a.b')), answers(result('a.b'))), /tool_use\.id: String should match pattern/],
    ['thinking without its signature', talk(asks({ type: 'thinking', thinking: 'hm' }), user), 'messages.1.content.0.thinking.signature: Field required'],
    ['thinking that it did not sign', talk(asks({ type: 'thinking', thinking: 'hm', signature: 'abc' }), user), 'messages.1.content.0: Invalid `signature` in `thinking` block'],
    ['redacted thinking that it did not hand out', talk(asks({ type: 'redacted_thinking', data: 'abc' }), user), 'messages.1.content.0: Invalid `data` in `redacted_thinking` block'],
    ['five cache markers', { ...talk(answers(marked, marked), answers({ ...result('a'), content: [marked] })), system: [marked], tools: [{ name: 'ls', input_schema: { type: 'object' }, cache_control: { type: 'ephemeral' } }] }, 'A maximum of 4 blocks with cache_control may be provided. Found 5.'],
    ['a tool name with a dot', withTool({ name: 'files.read' }), /^tools\.0\.custom\.name: String should match pattern/],
    ['a tool without a schema', withTool({ input_schema: undefined }), 'tools.0.custom.input_schema: Field required'],
    ['a schema without a type', withTool({ input_schema: {} }), 'tools.0.custom.input_schema.type: Field required'],
    ['a choice of tool without tools', { ...talk(), tool_choice: { type: 'auto' } }, 'tool_choice: may only be specified while providing tools'],
    ['a choice of a tool that is not offered', { ...withTool({}), tool_choice: { type: 'tool', name: 'rm' } }, "Tool 'rm' not found in provided tools"],
    ['a choice in the words of another provider', { ...withTool({}), tool_choice: 'auto' }, /^tool_choice: Input tag 'auto'/],
    ['more thinking than output', { ...talk(), thinking: { type: 'enabled', budget_tokens: 1024 } }, '`max_tokens` must be greater than `thinking.budget_tokens`.'],
  ]
  it.each(cases)('%s', async (...[, body, message]) => {
    expect(await refusal(body)).toEqual({ status: 400, type: 'invalid_request_error', message: typeof message === 'string' ? message : expect.stringMatching(message) })
  })

  it('a request without its version', () =>
    withSim({}, async (sim) => {
      const reply = await fetch(`${sim.url}/messages`, { method: 'POST', body: JSON.stringify(talk()) })
      expect([reply.status, await reply.json()]).toEqual([400, expect.objectContaining({ error: { type: 'invalid_request_error', message: 'anthropic-version: header is required' } })])
    }))

  it('thinking whose text was altered, and takes it back as it was', async () => {
    const script = { turns: [{ reasoning: 'Hm, well.', text: 'Yes.', times: 'always' }] }
    await withSim({ script }, async (sim) => {
      const { content } = (await (await postTo(sim, '/messages', talk())).json()) as { content: [Item, Item] }
      const again = async (block: Item): Promise<number> => (await postTo(sim, '/messages', talk(asks(block, content[1]), user))).status
      expect(await again(content[0])).toBe(200)
      expect(await again({ ...content[0], thinking: 'Hm, no.' })).toBe(400)
      expect(await again({ ...content[0], signature: '' })).toBe(400)
    })
  })
})

it('accepts what it would refuse elsewhere: results in two messages, text after them, signature-only thinking, four markers', async () => {
  const script = { turns: [{ output: [{ type: 'reasoning', encrypted: 'sig' }, { type: 'text', text: 'ok' }] }, { text: 'fine' }] }
  await withSim({ script }, async (sim) => {
    const first = (await (await postTo(sim, '/messages', talk())).json()) as { content: Item[] }
    expect(first.content[0]).toEqual({ type: 'thinking', thinking: '', signature: 'sig' })
    const body = { ...talk({ role: 'assistant', content: first.content }, user, asks(use('a'), use('b')), answers(result('b')), answers(result('a'), marked)), system: [marked, marked, marked] }
    const reply = await postTo(sim, '/messages', body)
    expect(await reply.json()).toMatchObject({ content: [{ text: 'fine' }] })
  })
})
