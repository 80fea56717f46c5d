import { describe, expect, it } from 'vitest'
import { Message } from './message.ts'
import type { AnyMessage } from './message-types.ts'

describe('stored messages', () => {
  const messages: AnyMessage[] = [
    Message.system('s'),
    Message.user([{ type: 'text', text: 'u' }, { type: 'image', source: { kind: 'base64', data: 'AA' }, mediaType: 'image/png', detail: 'low' }, { type: 'document', source: { kind: 'fileId', id: 'f' }, filename: 'a.pdf' }]),
    {
      role: 'assistant', id: 'msg_1', origin: { provider: 'openai', api: 'responses', model: 'm' },
      content: [
        { type: 'reasoning', id: 'rs', content: [{ type: 'summary', text: 's' }, { type: 'encrypted', data: 'e' }] },
        { type: 'text', text: 't', meta: { openai: { itemId: 'msg_1', phase: 'final_answer' } } },
        { type: 'tool_call', id: 'c', function: { name: 'f', arguments: { a: [1, null] }, rawArguments: '{"a":[1,null]}' }, provider: { callId: 'c', itemId: 'fc' } },
        { type: 'provider_item', provider: 'openai', raw: { type: 'web_search_call' } },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', id: 'c', name: 'f', provider: { callId: 'c', itemId: 'fc' }, content: [{ type: 'json', value: { ok: true } }, { type: 'document', source: { kind: 'base64', data: 'AA' }, filename: 'a.pdf' }], isError: true }] },
  ]

  it.each(messages.map((message) => [message.role, message] as const))('come back as they were: %s', (_role, message) => {
    expect(Message.parse(JSON.parse(JSON.stringify(message)))).toEqual(message)
  })

  it('may be of Rig 0.29: other tags, no tags, bare strings', () => {
    expect(Message.parse({ role: 'user', content: [{ type: 'toolresult', id: 'fc_1', call_id: 'call_1', content: [{ type: 'text', text: 'r' }] }] }))
      .toEqual({ role: 'user', content: [{ type: 'tool_result', id: 'fc_1', name: '', provider: { callId: 'call_1' }, content: [{ type: 'text', text: 'r' }] }] })
    expect(Message.parse({ role: 'assistant', id: null, content: [{ text: 'a' }, { id: 'x', function: { name: 'f', arguments: {} } }, { reasoning: ['why'] }] }).content)
      .toMatchObject([{ type: 'text' }, { type: 'tool_call', id: 'x' }, { type: 'reasoning', content: [{ type: 'text', text: 'why' }] }])
    expect(Message.parse({ role: 'assistant', content: 'plain' })).toEqual(Message.assistant('plain'))
    expect(Message.parse({ role: 'user', content: { type: 'image', data: { type: 'base64', value: 'AA' }, media_type: 'png' } }).content).toMatchObject([{ mediaType: 'image/png' }])
  })

  it('are refused with the place that is wrong', () => {
    expect(() => Message.parse({ role: 'user', content: [{ type: 'text' }] })).toThrow('message.content[0].text')
    expect(() => Message.parse({ role: 'robot' })).toThrow('message.role')
  })
})
