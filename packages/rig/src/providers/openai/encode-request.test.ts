import { describe, expect, it } from 'vitest'
import { bodyText } from '../../../test/body-text.ts'
import { Message } from '../../completion/message.ts'
import type { AnyMessage, AssistantContent, ToolCall, ToolResultContent } from '../../completion/message-types.ts'
import type { CompletionRequest } from '../../completion/completion-request.ts'
import { RequestEncoder, type RequestEncoderOptions } from './encode-request.ts'

const origin = { provider: 'openai', api: 'responses', model: 'm' }
const encoder = (options: Partial<RequestEncoderOptions> = {}) => new RequestEncoder({ origin, systemInstructions: 'instructions', strictTools: undefined, replayPhase: true, itemForm: 'full', serverState: false, ...options })
const encode = (request: CompletionRequest, options: Partial<RequestEncoderOptions> = {}) => JSON.parse(bodyText(encoder(options).encode(request, { isStreaming: false })))
const inputOf = (...messages: AnyMessage[]) => encode({ messages }).input
const turn = (content: readonly AssistantContent[], from = origin): AnyMessage => ({ role: 'assistant', content, origin: from })
const call: ToolCall = { type: 'tool_call', id: 'call_1', function: { name: 'f', arguments: { b: 1, 2: 3 }, rawArguments: '{"b": 1, "2": 3}' }, provider: { callId: 'call_1', itemId: 'fc_1' } }
const reasoning: AssistantContent = { type: 'reasoning', id: 'rs_1', content: [{ type: 'summary', text: 's' }, { type: 'encrypted', data: 'e' }] }
const text: AssistantContent = { type: 'text', text: 't', meta: { openai: { itemId: 'msg_1', phase: 'final_answer' } } }

describe('a request to OpenAI Responses', () => {
  it('lifts leading system messages into the instructions and leaves later ones where they are', () => {
    const body = encode({ messages: [Message.system(' a '), Message.system('b'), Message.user('u'), Message.system('later')] })
    expect(body.instructions).toBe('a\n\nb')
    expect(body.input).toEqual([{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'u' }] }, { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'later' }] }])
    expect(encode({ messages: [Message.system('a'), Message.user('u')] }, { systemInstructions: 'inputSystemMessages' })).not.toHaveProperty('instructions')
  })

  it('puts documents between the system messages and the conversation', () => {
    const body = encode({ messages: [Message.system('a'), Message.user('u')], documents: [{ id: 'd', text: 'body', additionalProps: { z: '1', a: '2' } }] })
    expect(body.input[0].content[0].text).toBe('<file id: d>\n<metadata a: "2" z: "1" />\nbody\n</file>\n')
    expect(body.input).toHaveLength(2)
  })

  it('replays a turn in wire order, arguments to the byte, and results as strings', () => {
    const input = inputOf(Message.user('u'), turn([reasoning, text, call]), Message.toolResult(call, 'out'))
    expect(input.slice(1)).toEqual([
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 's' }], encrypted_content: 'e' },
      { type: 'message', role: 'assistant', id: 'msg_1', status: 'completed', phase: 'final_answer', content: [{ type: 'output_text', text: 't' }] },
      { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{"b": 1, "2": 3}', status: 'completed', id: 'fc_1' },
      { type: 'function_call_output', call_id: 'call_1', output: 'out', status: 'completed' },
    ])
  })

  it('drops ids, phase and reasoning of another model, and keeps what was said', () => {
    expect(inputOf(Message.user('u'), turn([reasoning, text, call], { ...origin, model: 'other' })).slice(1)).toEqual([
      { type: 'message', role: 'assistant', content: 't' },
      { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{"b": 1, "2": 3}', status: 'completed' },
    ])
  })

  it('drops reasoning that nothing follows', () => {
    expect(inputOf(Message.user('u'), turn([text, reasoning])).slice(1)).toMatchObject([{ id: 'msg_1' }])
  })

  it('keeps the ids of what was said beside reasoning that is no item, as servers of open models give it', () => {
    const plain: AssistantContent = { type: 'reasoning', content: [{ type: 'text', text: 'Hm.' }] }
    expect(inputOf(Message.user('u'), turn([plain, text, call])).slice(1)).toMatchObject([{ id: 'msg_1', content: [{ type: 'output_text', text: 't' }] }, { id: 'fc_1' }])
  })

  it('drops reasoning that cannot be found again, and the ids that depend on it', () => {
    const bare: AssistantContent = { type: 'reasoning', id: 'rs_1', content: [{ type: 'summary', text: 's' }] }
    const { input } = encode({ messages: [Message.user('u'), turn([bare, text])], additionalParams: { store: false } })
    expect(input.slice(1)).toEqual([{ type: 'message', role: 'assistant', content: 't' }])
  })

  it('never sends one call id twice, even when the provider gave it twice', () => {
    const second: ToolCall = { ...call, id: 'call_minted', provider: { callId: 'call_1' } }
    const results: AnyMessage = { role: 'user', content: [call, second].flatMap((one) => Message.toolResult(one, 'r').content) }
    expect(inputOf(Message.user('u'), turn([call, second]), results).slice(1).map((item: { call_id: string }) => item.call_id)).toEqual(['call_1', 'call_minted', 'call_1', 'call_minted'])
  })

  it('sends plain text for assistant messages without an id, and nothing for empty ones', () => {
    expect(inputOf(Message.user('u'), Message.assistant('plain'), Message.assistant('')).slice(1)).toEqual([{ type: 'message', role: 'assistant', content: 'plain' }])
  })

  it('sends images and documents the way each source wants it', () => {
    const [image, pdf, url, plain] = inputOf(Message.user([
      { type: 'image', source: { kind: 'base64', data: 'AA' }, mediaType: 'image/png' },
      { type: 'document', source: { kind: 'base64', data: 'AA' } },
      { type: 'document', source: { kind: 'url', url: 'https://x/y.pdf' }, filename: 'y.pdf' },
      { type: 'document', source: { kind: 'base64', data: Buffer.from('# hé').toString('base64') }, mediaType: 'text/markdown' },
    ])).map((item: { content: object[] }) => item.content[0])
    expect(image).toEqual({ type: 'input_image', image_url: 'data:image/png;base64,AA', detail: 'auto' })
    expect(pdf).toEqual({ type: 'input_file', file_data: 'data:application/pdf;base64,AA', filename: 'document.pdf' })
    expect(url).toEqual({ type: 'input_file', file_url: 'https://x/y.pdf' })
    expect(plain).toEqual({ type: 'input_text', text: '# hé' })
    expect(() => inputOf(Message.user([{ type: 'image', source: { kind: 'base64', data: 'AA' } }]))).toThrow('media type')
    expect(() => inputOf(Message.user([{ type: 'audio', source: { kind: 'base64', data: 'AA' } }]))).toThrow('Unsupported message')
  })

  it('sends what a tool shows with its result: text, images and documents as parts, one text alone as it is', () => {
    const resultOf = (...content: readonly ToolResultContent[]) => inputOf(Message.user('u'), turn([call]), Message.toolResult(call, content)).at(-1).output
    expect(resultOf({ type: 'text', text: 'a' })).toBe('a')
    expect(resultOf({ type: 'json', value: { n: 1 } }, { type: 'image', source: { kind: 'base64', data: 'AA' }, mediaType: 'image/png' }, { type: 'document', source: { kind: 'base64', data: 'AA' }, filename: 'x.pdf' })).toEqual([
      { type: 'input_text', text: '{"n":1}' },
      { type: 'input_image', image_url: 'data:image/png;base64,AA', detail: 'auto' },
      { type: 'input_file', file_data: 'data:application/pdf;base64,AA', filename: 'x.pdf' },
    ])
  })

  it('leaves `strict` out unless asked, appends hosted tools, and names no choice without tools', () => {
    const tools = [{ name: 'f', description: 'd', parameters: { type: 'object', properties: { a: { type: 'string' } } } }]
    const body = encode({ messages: [Message.user('u')], tools, toolChoice: { type: 'specific', functionNames: ['f'] }, additionalParams: { tools: [{ type: 'web_search' }] } })
    expect(body.tools).toEqual([{ type: 'function', ...tools[0] }, { type: 'web_search' }])
    expect(body.tool_choice).toEqual({ type: 'function', name: 'f' })
    expect(encode({ messages: [Message.user('u')], toolChoice: 'required' })).not.toHaveProperty('tool_choice')
    const strict = encode({ messages: [Message.user('u')], tools }, { strictTools: true }).tools[0]
    expect(strict).toMatchObject({ strict: true, parameters: { required: ['a'], additionalProperties: false, properties: { a: { anyOf: [{ type: 'string' }, { type: 'null' }] } } } })
    expect(tools[0]?.parameters).not.toHaveProperty('required')
  })

  it('passes unknown parameters on, lets its own fields win, and asks for encrypted reasoning when it reasons', () => {
    const body = encode({ messages: [Message.user('u')], maxTokens: 5, additionalParams: { model: 'x', max_tool_calls: 2, reasoning: { effort: 'low' }, max_output_tokens: 9 } })
    expect(body).toMatchObject({ model: 'm', max_tool_calls: 2, max_output_tokens: 5, include: ['reasoning.encrypted_content'] })
  })

  it('asks for structured output under a name that is allowed', () => {
    const schema = { title: 'My Answer', type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }
    expect(encode({ messages: [Message.user('u')], outputSchema: { schema } }).text.format).toMatchObject({ type: 'json_schema', name: 'My_Answer', strict: true, schema: { additionalProperties: false } })
  })

  it('is written shortly for servers that know no other form: strings, one item for what a user says at once, no status', () => {
    const messages = [Message.user([{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }]), turn([reasoning, text, call]), Message.toolResult(call, 'out'), Message.user('c')]
    expect(encode({ messages }, { itemForm: 'plain' }).input).toEqual([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'a' }, { type: 'input_text', text: 'b' }] },
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 's' }] },
      { type: 'message', role: 'assistant', phase: 'final_answer', content: 't' },
      { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{"b": 1, "2": 3}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'out' },
      { type: 'message', role: 'user', content: 'c' },
    ])
  })

  it('names the response to go on from and sends what was said since, where the provider keeps the conversation', () => {
    const answer: AnyMessage = { role: 'assistant', content: [call], origin, responseId: 'resp_1' }
    const messages = [Message.system('s'), Message.user('u'), answer, Message.toolResult(call, 'out')]
    const documents = [{ id: 'd', text: 'body' }]
    const body = encode({ messages, documents }, { serverState: true })
    expect(body).toMatchObject({ previous_response_id: 'resp_1', instructions: 's', input: [{ type: 'function_call_output', call_id: 'call_1' }] })
    expect(body.input).toHaveLength(1)
    expect(encode({ messages })).not.toHaveProperty('previous_response_id')
    expect(encode({ messages, additionalParams: { store: false } }, { serverState: true })).not.toHaveProperty('previous_response_id')
    expect(encode({ messages, model: 'another' }, { serverState: true }).input).toHaveLength(3)
    expect(encode({ messages: messages.slice(0, 2), documents }, { serverState: true }).input).toHaveLength(2)
  })

  it('writes each message once, however many requests it is in', () => {
    let reads = 0
    const counted: AnyMessage = { role: 'user', get content() { reads++; return [{ type: 'text' as const, text: 'u' }] } }
    const one = encoder()
    for (let n = 0; n < 3; n++) one.encode({ messages: [counted] }, { isStreaming: true })
    expect(reads).toBe(1)
  })
})
