import { Message } from '@buildscale/rig'
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { ToolCallRow } from '../../repositories/tool-call-repository.ts'
import { partialMessage, questionMessage, visibleParts } from './chat-stored-message.ts'
import type { StoredTurn } from './chat-turn.ts'
import { rigHistory, rigTurn } from './rig-history.ts'

const question = questionMessage({ files: [{ path: '/a.md', version: 3, text: 'A' }], environment: '<environment/>', request: 'do it' })

const answer: Message = {
  role: 'assistant',
  id: 'msg_1',
  origin: { provider: 'openai', api: 'responses', model: 'gpt-4o' },
  content: [
    { type: 'reasoning', id: 'rs_1', content: [{ type: 'summary', text: 'first' }, { type: 'summary', text: 'second' }, { type: 'encrypted', data: 'gAAA' }] },
    { type: 'text', text: 'I will write.', meta: { openai: { itemId: 'msg_1' } } },
    { type: 'tool_call', id: 'call_1', function: { name: 'write', arguments: { path: '/x' }, rawArguments: '{"path": "/x"}' }, provider: { callId: 'call_1', itemId: 'fc_1' } },
    { type: 'tool_call', id: 'call_2', function: { name: 'ls', arguments: {} }, provider: { callId: 'call_2' } },
  ],
}

const call = (index: number, change: Partial<ToolCallRow> = {}): ToolCallRow => ({
  id: randomUUID(), workspace_id: '', chat_id: '', turn_id: '', step: 1, index, message_id: '', provider_call_id: `call_${index + 1}`, name: 'x', args: '{}', effect: 'read',
  status: 'ok', result: '{"path":"/x"}', created_at: new Date(), started_at: null, ended_at: null, ...change,
})

const turn = (calls: readonly ToolCallRow[], content = JSON.stringify(answer)): StoredTurn => ({ question, steps: [{ number: 1, content, calls }] })

describe('history of a turn', () => {
  it('gives back the message of the runtime exactly, with reasoning, ids and raw arguments', () => {
    const [, replayed] = rigHistory([turn([call(0), call(1)])])
    expect(JSON.stringify(replayed)).toBe(JSON.stringify(Message.parse(JSON.parse(JSON.stringify(answer)))))
    expect(replayed).toEqual(answer)
  })

  it('pairs every call with its result, in call order, in one message', () => {
    const [, , results] = rigHistory([turn([call(0), call(1, { status: 'failed', result: '{"error":{"code":"not_found","message":"There is no /x."}}' })])])
    expect(results).toMatchObject({
      role: 'user',
      content: [
        { type: 'tool_result', id: 'call_1', provider: { callId: 'call_1', itemId: 'fc_1' }, content: [{ type: 'text', text: '{"path":"/x"}' }] },
        { type: 'tool_result', id: 'call_2', content: [{ type: 'text', text: 'There is no /x.' }], isError: true },
      ],
    })
  })

  it('waits for the calls that have no result, and keeps the results of the others', () => {
    const { messages, pending, isAnswered } = rigTurn(turn([call(0), call(1, { status: 'pending', result: null })]))
    expect(messages).toHaveLength(2)
    expect(pending.map((entry) => entry.preresolvedResult !== undefined)).toEqual([true, false])
    expect(isAnswered).toBe(false)
  })

  it('knows a turn whose last answer called no tool as answered', () => {
    const text = JSON.stringify(Message.assistant('Done.'))
    expect(rigTurn(turn([], text)).isAnswered).toBe(true)
  })

  it('leaves out an empty answer, which providers refuse', () => {
    expect(rigHistory([turn([], '{"role":"assistant","content":[]}')])).toHaveLength(1)
  })

  it('sends attached files, environment and request as parts of the question, in that order', () => {
    const [asked] = rigHistory([turn([call(0), call(1)])])
    const texts = asked?.role === 'user' ? asked.content.map((part) => (part.type === 'text' ? part.text : '')) : []
    expect(texts).toEqual(['<file path="/a.md" version="3">\nA\n</file>', '<environment/>', 'do it'])
  })

  it('keeps what a stopped model had said as a message of its own', () => {
    const { content } = partialMessage([{ kind: 'thought', id: 'p1', text: 'hm' }, { kind: 'chunk', id: 'p2', text: 'Half a sen' }])
    const [, kept] = rigHistory([turn([], content)])
    expect(kept && Message.text(kept)).toBe('Half a sen')
  })
})

describe('what people see of a stored message', () => {
  it('is the request and the files of a question, not the environment', () => {
    expect(visibleParts(question)).toEqual([
      { type: 'file', path: '/a.md', version: 3, text: '<file path="/a.md" version="3">\nA\n</file>' },
      { type: 'hidden' },
      { type: 'text', text: 'do it' },
    ])
  })

  it('is the summaries of reasoning joined by a blank line, never its encrypted content', () => {
    expect(visibleParts(JSON.stringify(answer))[0]).toEqual({ type: 'reasoning', text: 'first\n\nsecond' })
  })
})
