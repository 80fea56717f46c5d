import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { startScriptedServer, type Reply, type ResponsesServer } from '../../test/responses-server.ts'
import { Message } from '../completion/message.ts'
import type { AnyMessage, AssistantContent } from '../completion/message-types.ts'
import { ZERO_USAGE } from '../completion/usage.ts'
import { CompletionError, HookError, MaxTurnsError, NoAnswerError, PromptCancelledError, UnknownToolCallError } from '../errors.ts'
import { Client } from '../providers/openai/client.ts'
import { calls, says, ScriptedModel, toolCall, type ScriptedTurn } from '../testing/scripted-model.ts'
import { tool, type Tool } from '../tool/tool.ts'
import { ToolExecutionError } from '../tool/tool-error.ts'
import { AgentBuilder } from './agent-builder.ts'
import type { MultiTurnStreamItem } from './agent-event.ts'
import { AgentRun } from './agent-run.ts'
import type { AgentHook } from './hooks.ts'
import { PromptSuspendedError } from './prompt-suspended-error.ts'

const echo = tool({ name: 'echo', description: 'Echoes.', parameters: z.object({ text: z.string() }), call: ({ text }) => text })
const usage = { ...ZERO_USAGE, inputTokens: 10, outputTokens: 2, totalTokens: 12 }

function agentOf(turns: readonly ScriptedTurn[], tools: readonly Tool[] = [echo]) {
  const model = new ScriptedModel(turns)
  return { model, builder: new AgentBuilder(model).tools(tools) }
}

async function collect(stream: AsyncIterable<MultiTurnStreamItem>): Promise<MultiTurnStreamItem[]> {
  const items: MultiTurnStreamItem[] = []
  for await (const item of stream) items.push(item)
  return items
}

const says3 = (id: string, text = id) => toolCall(id, 'echo', { text })
const resultTexts = (message: AnyMessage | undefined) => (message?.role === 'user' ? message.content : []).map((part) => (part.type === 'tool_result' ? Message.text({ role: 'user', content: part.content as never }) : ''))

describe('turns', () => {
  it('makes exactly maxTurns model calls, runs the tools of each, then fails with the whole conversation', async () => {
    const { model, builder } = agentOf([1, 2, 3, 4].map((n) => calls(says3(`c${n}`))))
    const run = builder.build().run('Go', { maxTurns: 3 })
    const error = await run.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(MaxTurnsError)
    expect(model.requests).toHaveLength(3)
    expect((error as MaxTurnsError).chatHistory).toHaveLength(1 + 2 * 3)
  })

  it('calls no model at all with maxTurns 0', async () => {
    const { model, builder } = agentOf([says('never')])
    await expect(builder.build().run('Go', { maxTurns: 0 })).rejects.toBeInstanceOf(MaxTurnsError)
    expect(model.requests).toHaveLength(0)
  })

  it('forbids tools in the last permitted call when an answer is wanted at the limit', async () => {
    const { model, builder } = agentOf([calls(says3('c1')), says('done')])
    const response = await builder.build().run('Go', { maxTurns: 2, onMaxTurns: 'answer' })
    expect(response.output).toBe('done')
    expect(model.requests.map((request) => request.toolChoice)).toEqual([undefined, 'none'])
  })

  it('answers alike whether it is awaited or streamed', async () => {
    const turns: ScriptedTurn[] = [{ type: 'answer', usage, content: [{ type: 'text', text: 'Let me see. ' }, says3('a'), says3('b')] }, { type: 'answer', usage, content: [{ type: 'text', text: 'a, b' }] }]
    const whole = await agentOf(turns).builder.build().run('Go')
    const items = await collect(agentOf(turns).builder.build().stream('Go'))
    const last = items.at(-1)
    expect(last?.type === 'finalResponse' && last.response).toEqual(whole)
    expect(whole).toMatchObject({ output: 'a, b', usage: { totalTokens: 24 }, usageComplete: true })
    expect(whole.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant'])
  })

  it('shows items in the order of the conversation, the final response last and once', async () => {
    const items = await collect(agentOf([calls(says3('a'), says3('b')), says('!')]).builder.build().stream('Go'))
    const kinds = items.map((item) => (item.type === 'streamAssistantItem' ? item.item.type : item.type)).filter((kind) => kind !== 'tool_call_delta')
    expect(kinds).toEqual([
      'completionCall', 'tool_call', 'tool_call', 'toolExecutionCommitted', 'streamUserItem', 'toolExecutionCommitted', 'streamUserItem',
      'text', 'completionCall', 'finalResponse',
    ])
  })

  it('ends with an empty answer, stored nowhere, when the model has nothing to add to a result', async () => {
    const response = await agentOf([calls(says3('a')), { type: 'answer', content: [] }]).builder.build().run('Go')
    expect(response.output).toBe('')
    expect(response.messages).toHaveLength(3)
  })

  it('says which limit was hit when the model was cut off before its answer', async () => {
    const reasoning: AssistantContent = { type: 'reasoning', id: 'rs', content: [] }
    const { builder } = agentOf([{ type: 'answer', content: [reasoning], finishReason: 'length' }])
    const error = await builder.maxTokens(16).build().run('Go').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(NoAnswerError)
    expect(String(error)).toContain('budget of 16')
  })

  it('takes nothing from a stream that breaks off: no tool runs and no final response is shown', async () => {
    let ran = 0
    const counting = tool({ name: 'echo', description: '', call: () => ran++ })
    const stream = agentOf([{ type: 'truncated', content: [{ type: 'text', text: 'x' }, says3('a')] }], [counting]).builder.build().stream('Go')
    const items: MultiTurnStreamItem[] = []
    const error = await (async () => { for await (const item of stream) items.push(item) })().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'truncated_stream', chatHistory: [Message.user('Go')] })
    expect(error).toBeInstanceOf(CompletionError)
    expect(ran).toBe(0)
    expect(items.some(({ type }) => type === 'finalResponse')).toBe(false)
  })

  it('appends to the history of a chat on success only', async () => {
    const history: AnyMessage[] = [Message.user('Hi'), Message.assistant('Hello')]
    const failing = agentOf([{ type: 'error', error: new CompletionError('http', 'no') }]).builder.build()
    await expect(failing.chat('Go', history)).rejects.toThrow('no')
    expect(history).toHaveLength(2)
    expect(await agentOf([says('ok')]).builder.build().chat('Go', history)).toBe('ok')
    expect(history.map((message) => Message.text(message))).toEqual(['Hi', 'Hello', 'Go', 'ok'])
  })
})

describe('tools', () => {
  it('start together and answer in call order, whichever is faster', async () => {
    const started: string[] = []
    const gate = Promise.withResolvers<void>()
    const slow = tool({ name: 'slow', description: '', call: async () => { started.push('slow'); await gate.promise; return 'slow' } })
    const fast = tool({ name: 'fast', description: '', call: () => { started.push('fast'); gate.resolve(); return 'fast' } })
    const { model, builder } = agentOf([calls(toolCall('1', 'slow'), toolCall('2', 'fast')), says('ok')], [slow, fast])
    const response = await builder.build().run('Go', { toolConcurrency: 2 })
    expect(started).toEqual(['slow', 'fast'])
    expect(resultTexts(response.messages[2])).toEqual(['slow', 'fast'])
    expect(resultTexts(model.requests[1]?.messages.at(-1))).toEqual(['slow', 'fast'])
  })

  it('never run beside an exclusive one, which keeps its place among the calls', async () => {
    const log: string[] = []
    const make = (name: string, exclusive: boolean) => tool({
      name, description: '', exclusive,
      call: async () => { log.push(`+${name}`); await sleep(5); log.push(`-${name}`) },
    })
    const { builder } = agentOf([calls(...['r1', 'r2', 'w', 'r3'].map((name) => toolCall(name, name))), says('ok')], [make('r1', false), make('r2', false), make('w', true), make('r3', false)])
    await builder.build().run('Go')
    expect(log).toEqual(['+r1', '+r2', '-r1', '-r2', '+w', '-w', '+r3', '-r3'])
  })

  it('keep their secrets: the model sees a generic sentence, the operator the cause', async () => {
    const outcomes: unknown[] = []
    const leaky = tool({ name: 'leaky', description: '', call: () => { throw new Error('/srv/secret/path') } })
    const { builder } = agentOf([calls(toolCall('1', 'leaky')), says('ok')], [leaky])
    const response = await builder.hook({ onToolResult: (_ctx, { outcome }) => void outcomes.push(outcome) }).build().run('Go')
    expect(resultTexts(response.messages[2])).toEqual(['the tool failed'])
    expect(JSON.stringify(response.messages)).not.toContain('secret')
    expect(outcomes).toMatchObject([{ status: 'error', error: { cause: { message: '/srv/secret/path' } } }])
  })

  it('show the model what they want it to know of a failure', async () => {
    const missing = tool({ name: 'missing', description: '', call: () => { throw new ToolExecutionError('not_found', 'No file /a.md') } })
    const response = await agentOf([calls(toolCall('1', 'missing')), says('ok')], [missing]).builder.build().run('Go')
    expect(response.messages[2]).toMatchObject({ content: [{ isError: true, content: [{ text: 'No file /a.md' }] }] })
  })

  it('tell the model which arguments are wrong, and do not run', async () => {
    const response = await agentOf([calls(toolCall('1', 'echo', { text: 4 })), says('ok')]).builder.build().run('Go')
    expect(resultTexts(response.messages[2])[0]).toMatch(/^Invalid arguments for echo:\n- text: /)
  })

  it('are given up when their time is over', async () => {
    const stuck = tool({ name: 'stuck', description: '', timeoutMs: 20, call: () => new Promise(() => undefined) })
    const response = await agentOf([calls(toolCall('1', 'stuck')), says('ok')], [stuck]).builder.build().run('Go')
    expect(resultTexts(response.messages[2])).toEqual(['tool execution timed out'])
  })

  it('get their context: turn, ids, deps, and a progress channel that is shown at once', async () => {
    const seen: unknown[] = []
    const curious: Tool = {
      name: 'curious',
      definition: () => ({ name: 'curious', description: '', parameters: { type: 'object', properties: {} } }),
      parseArgs: (raw) => raw,
      call: (_args, ctx) => { seen.push(ctx.turn, ctx.toolCallId, ctx.deps); ctx.progress({ half: true }) },
    }
    const items = await collect(agentOf([calls(toolCall('1', 'curious')), says('ok')], [curious]).builder.build().stream('Go', { deps: { user: 'u' } }))
    expect(seen).toEqual([1, '1', { user: 'u' }])
    const progress = items.find((item) => item.type === 'toolProgress')
    const call = items.find((item) => item.type === 'streamAssistantItem' && item.item.type === 'tool_call')
    expect(progress).toMatchObject({ turn: 1, data: { half: true }, internalCallId: call?.type === 'streamAssistantItem' && call.item.type === 'tool_call' ? call.item.internalCallId : '' })
  })

  it('that do not exist are answered with those that do, until the allowance is used up', async () => {
    const { builder } = agentOf([1, 2, 3, 4].map((n) => calls(toolCall(`${n}`, 'nope'))))
    const error = await builder.invalidToolCalls({ mode: 'feedback', max: 2 }).build().run('Go').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UnknownToolCallError)
    expect(resultTexts((error as UnknownToolCallError).chatHistory[2])).toEqual(['Unknown tool "nope". Available tools: echo.'])
  })

  it('are told apart when a provider repeats a call id within one answer', async () => {
    const response = await agentOf([calls(says3('dup', 'one'), says3('dup', 'two')), says('ok')]).builder.build().run('Go')
    const ids = response.messages[1]?.role === 'assistant' ? response.messages[1].content.flatMap((part) => (part.type === 'tool_call' ? [part] : [])) : []
    expect(new Set(ids.map(({ id }) => id)).size).toBe(2)
    expect(ids.map(({ provider }) => provider?.callId)).toEqual(['dup', 'dup'])
    expect(resultTexts(response.messages[2])).toEqual(['one', 'two'])
  })

  it('get {} for arguments that are empty or null, and an explanation for arguments that are no JSON', async () => {
    const broken = { ...says3('bad'), function: { name: 'free', arguments: {}, rawArguments: '{"text": ' } }
    const empty = { ...says3('nul'), function: { name: 'free', arguments: {}, rawArguments: 'null' } }
    const free = tool({ name: 'free', description: '', call: (args) => JSON.stringify(args) })
    const response = await agentOf([calls(broken, empty), says('ok')], [free]).builder.build().run('Go')
    expect(resultTexts(response.messages[2])).toEqual([expect.stringMatching(/^Invalid arguments for free:\n- /), '{}'])
  })
})

describe('abort', () => {
  const hanging = tool({ name: 'hang', description: '', call: (_args, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))) })
  const connectFirst = async (server: ResponsesServer) => { while (server.requests.length === 0) await sleep(1) }
  const scenarios: readonly { readonly at: string; readonly replies: readonly (ScriptedTurn | Reply)[]; readonly until?: string }[] = [
    { at: 'connect', replies: [{ type: 'silence' }] },
    { at: 'the stream', replies: [{ type: 'hanging', content: [{ type: 'text', text: 'half' }] }], until: 'streamAssistantItem' },
    { at: 'a tool', replies: [calls(toolCall('1', 'hang')), says('no')], until: 'completionCall' },
    { at: 'the point between two turns', replies: [calls(says3('1')), says('no')], until: 'streamUserItem' },
  ]

  it.each(scenarios)('at $at ends the run as cancelled, with nothing after it and no connection left in use', async ({ replies, until }) => {
    await using server = await startScriptedServer(replies)
    const agent = new Client({ baseUrl: server.baseUrl }).agent('m').tools([echo, hanging]).build()
    const controller = new AbortController()
    const stream = agent.stream('Go', { signal: controller.signal })
    const after: string[] = []
    let isAborted = false
    if (until === undefined) void connectFirst(server).then(() => controller.abort('enough'))
    const error = await (async () => {
      for await (const item of stream) {
        if (isAborted) after.push(item.type)
        if (item.type !== until || isAborted) continue
        isAborted = true
        await sleep(5)
        controller.abort('enough')
      }
    })().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(PromptCancelledError)
    expect(error).toMatchObject({ reason: 'enough', usage: expect.anything() })
    expect(after).not.toContain('finalResponse')
    await expect(stream.response).rejects.toBe(error)
    if (until !== 'completionCall' && until !== 'streamUserItem') await vi.waitFor(async () => expect(await server.openConnections()).toBe(0))
  })

  it('waits for a running tool to end, and keeps nothing of its turn', async () => {
    let ended = false
    const careful = tool({ name: 'careful', description: '', call: async (_args, { signal }) => { await new Promise((resolve) => signal.addEventListener('abort', resolve)); await sleep(20); ended = true } })
    const controller = new AbortController()
    const run = agentOf([calls(toolCall('1', 'careful'))], [careful]).builder.build().run('Go', { signal: controller.signal })
    setTimeout(() => controller.abort(), 20)
    const error = await run.catch((thrown: unknown) => thrown)
    expect(ended).toBe(true)
    expect(error).toMatchObject({ reason: '<no reason given>' })
    expect((error as PromptCancelledError).chatHistory.map(({ role }) => role)).toEqual(['user', 'assistant'])
  })

  it('follows from leaving the iteration', async () => {
    let aborted = false
    const watched = tool({
      name: 'watched', description: '',
      call: (_args, { signal, progress }) => new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => { aborted = true; resolve() })
        progress('running')
      }),
    })
    const stream = agentOf([calls(toolCall('1', 'watched'))], [watched]).builder.build().stream('Go')
    for await (const item of stream) if (item.type === 'toolProgress') break
    expect(aborted).toBe(true)
    await expect(stream.response).rejects.toBeInstanceOf(PromptCancelledError)
  })

  it('is asked of a stream that nobody looks at without an unhandled rejection', async () => {
    const stream = agentOf([{ type: 'error', error: new CompletionError('http', 'gone') }]).builder.build().stream('Go')
    const iterator = stream[Symbol.asyncIterator]()
    await expect(iterator.next()).rejects.toThrow('gone')
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })
})

describe('hooks', () => {
  const withHook = (turns: readonly ScriptedTurn[], hook: AgentHook) => { const { model, builder } = agentOf(turns); return { model, agent: builder.hook(hook).build() } }

  it('see the finished model turn before any of its tools starts', async () => {
    const log: string[] = []
    const noisy = tool({ name: 'noisy', description: '', call: () => void log.push('tool') })
    const { builder } = agentOf([{ type: 'answer', usage, content: [toolCall('1', 'noisy')] }, says('ok')], [noisy])
    await builder.hook({ onModelTurnFinished: async (_ctx, event) => { await sleep(10); log.push(`turn ${event.turn} ${event.finishReason} ${event.usage?.totalTokens}`) } }).build().run('Go')
    expect(log).toEqual(['turn 1 tool_calls 12', 'tool', 'turn 2 stop undefined'])
  })

  it('change one call and not the next', async () => {
    const { model, agent } = withHook([calls(says3('1')), says('ok')], {
      onCompletionCall: (_ctx, { turn }) => (turn === 1 ? { type: 'patch', patch: { toolChoice: 'required', activeTools: ['echo'], preamble: 'Now.', temperature: 0.5 } } : undefined),
    })
    await agent.run('Go')
    expect(model.requests[0]).toMatchObject({ toolChoice: 'required', temperature: 0.5, messages: [{ role: 'system', content: 'Now.' }, { role: 'user' }] })
    expect(model.requests[1]).not.toHaveProperty('temperature')
    expect(model.requests[1]?.toolChoice).toBeUndefined()
  })

  it('skip the first of two calls: its reason is the first result, the second tool runs, both were shown', async () => {
    const shown: string[] = []
    const results: string[] = []
    const { agent } = withHook([calls(says3('a'), says3('b')), says('ok')], {
      onToolCall: (_ctx, { call }) => { shown.push(call.id); return call.id === 'a' ? { type: 'skip', reason: 'not now' } : undefined },
      onToolResult: (_ctx, { call, outcome }) => void results.push(`${call.id} ${outcome.status}`),
    })
    const response = await agent.run('Go')
    expect(resultTexts(response.messages[2])).toEqual(['not now', 'b'])
    expect(shown).toEqual(['a', 'b'])
    expect(results.toSorted()).toEqual(['a skipped', 'b success'])
  })

  it('rewrite arguments, which are checked again, and results', async () => {
    const { agent } = withHook([calls(says3('a'), says3('b')), says('ok')], {
      onToolCall: (_ctx, { call }) => ({ type: 'rewrite', args: call.id === 'a' ? { text: 'new' } : { wrong: 1 } }),
      onToolResult: (_ctx, { call, outcome }) => (call.id === 'a' ? { type: 'rewrite', content: [{ type: 'text', text: `<${outcome.status}>` }] } : undefined),
    })
    const response = await agent.run('Go')
    expect(resultTexts(response.messages[2])).toEqual(['<success>', expect.stringContaining('Invalid arguments for echo')])
  })

  it('send an answer back with feedback: both stay in the conversation and both calls count', async () => {
    const { agent } = withHook([says('draft'), says('final')], { onModelTurnFinished: (_ctx, { turn }) => (turn === 1 ? { type: 'retry', mode: 'feedback', text: 'Again.' } : undefined) })
    const items = await collect(agent.stream('Go'))
    const last = items.at(-1)
    const response = last?.type === 'finalResponse' ? last.response : undefined
    expect(response?.messages.map((message) => Message.text(message))).toEqual(['Go', 'draft', 'Again.', 'final'])
    expect(response?.completionCalls.map(({ turn }) => turn)).toEqual([1, 2])
    expect(items.filter(({ type }) => type === 'modelTurnRetried')).toEqual([{ type: 'modelTurnRetried', turn: 1, mode: 'feedback' }])
  })

  it('repeat a call as if it had not been answered', async () => {
    const { model, agent } = withHook([says('bad'), says('good')], { onModelTurnFinished: (_ctx, { turn }) => (turn === 1 ? { type: 'retry', mode: 'repeat' } : undefined) })
    expect((await agent.run('Go')).messages.map((message) => Message.text(message))).toEqual(['Go', 'good'])
    expect(model.requests[1]?.messages).toEqual(model.requests[0]?.messages)
  })

  it('stop the run, and nothing runs any more', async () => {
    const { agent, model } = withHook([calls(says3('a')), says('no')], { onToolCall: () => ({ type: 'stop', reason: 'forbidden' }) })
    await expect(agent.run('Go')).rejects.toMatchObject({ reason: 'forbidden' })
    const cancelling = withHook([says('no')], { onTextDelta: (ctx, { aggregated }) => (aggregated === 'no' ? ctx.cancel('heard enough') : undefined) })
    await expect(collect(cancelling.agent.stream('Go'))).rejects.toMatchObject({ reason: 'heard enough' })
    expect(model.requests).toHaveLength(1)
  })

  it('end the run when they fail, with their error as the cause', async () => {
    const { agent } = withHook([says('x')], { onModelTurnFinished: () => { throw new Error('database is gone') } })
    const error = await agent.run('Go').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(HookError)
    expect(error).toMatchObject({ hook: 'onModelTurnFinished', cause: { message: 'database is gone' } })
  })

  it('repair the name of a tool, in what is kept of the conversation too', async () => {
    const { agent } = withHook([calls(toolCall('a', 'Echo', { text: 'x' })), says('ok')], { onInvalidToolCall: () => ({ type: 'repair', toolName: 'echo' }) })
    const response = await agent.run('Go')
    expect(response.messages[1]).toMatchObject({ content: [{ id: 'a', function: { name: 'echo' } }] })
    expect(response.messages[2]).toMatchObject({ content: [{ id: 'a', name: 'echo', content: [{ text: 'x' }] }] })
  })
})

describe('durable runs', () => {
  const turns = [calls(says3('a', 'A'), says3('b', 'B')), says('done')]

  it('suspend before anything runs, and go on in another process as decided', async () => {
    const ran: string[] = []
    const act = tool({ name: 'echo', description: '', parameters: z.object({ text: z.string() }), call: ({ text }) => { ran.push(text); return text } })
    const first = agentOf(turns, [act])
    const error = await first.builder.hook({ onToolCall: (_ctx, { call }) => (call.id === 'b' ? { type: 'suspend', reason: 'ask' } : undefined) }).build().run('Go').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(PromptSuspendedError)
    expect(ran).toEqual([])
    const json = JSON.parse(JSON.stringify((error as PromptSuspendedError).run))
    const second = agentOf(turns.slice(1), [act])
    const response = await second.builder.build().resume(json, { decisions: { b: { type: 'rewrite', args: { text: 'B2' } } } }).response
    expect(ran).toEqual(['A', 'B2'])
    expect(resultTexts(response.messages[2])).toEqual(['A', 'B2'])
    expect(response.completionCalls).toHaveLength(2)
  })

  it('go on from stored messages with the same transcript as a run that was never interrupted', async () => {
    const whole = await agentOf(turns).builder.build().run('Go')
    const ran: string[] = []
    const act = tool({ name: 'echo', description: '', parameters: z.object({ text: z.string() }), call: ({ text }) => { ran.push(text); return text } })
    const [prompt, answer, results] = whole.messages
    const [first, second] = answer?.role === 'assistant' ? answer.content.flatMap((part) => (part.type === 'tool_call' ? [part] : [])) : []
    const [done] = results?.role === 'user' ? results.content : []
    if (prompt === undefined || answer === undefined || first === undefined || second === undefined || done?.type !== 'tool_result') throw new Error('unexpected')
    const json = AgentRun.resumable({ base: [], fresh: [prompt, answer], turn: 1, maxTurns: 8, pending: [{ toolCall: first, internalCallId: 'i1', preresolvedResult: done }, { toolCall: second, internalCallId: 'i2' }] })
    const items = await collect(agentOf(turns.slice(1), [act]).builder.build().resume(JSON.parse(JSON.stringify(json)), { decisions: {} }))
    const last = items.at(-1)
    expect(last?.type === 'finalResponse' && last.response.messages).toEqual(whole.messages)
    expect(ran).toEqual(['B'])
    expect(items.filter(({ type }) => type === 'streamUserItem')).toHaveLength(1)
    expect(items.find(({ type }) => type === 'completionCall')).toMatchObject({ call: { turn: 2 } })
  })

  it('ask the model again when they ended before its answer', async () => {
    const json = AgentRun.resumable({ base: [Message.user('Hi'), Message.assistant('Hello')], fresh: [Message.user('Go')], turn: 0, maxTurns: 8 })
    const { model, builder } = agentOf([says('here')])
    expect((await builder.build().resume(json, { decisions: {} }).response).output).toBe('here')
    expect(model.requests[0]?.messages).toHaveLength(3)
  })

  it('keep their count of model calls', async () => {
    const json = AgentRun.resumable({ base: [], fresh: [Message.user('Go')], turn: 2, maxTurns: 2 })
    await expect(agentOf([says('no')]).builder.build().resume(json, { decisions: {} }).response).rejects.toBeInstanceOf(MaxTurnsError)
  })

  it('refuse calls that are not those of the last answer', () => {
    expect(() => AgentRun.resumable({ base: [], fresh: [Message.user('Go')], turn: 1, maxTurns: 8, pending: [{ toolCall: says3('x'), internalCallId: 'i' }] })).toThrow(TypeError)
  })
})

describe('a request that streams', () => {
  it('offers its text alone, and itself as a web stream', async () => {
    const agent = agentOf([says('héllo')]).builder.build()
    let text = ''
    for await (const delta of agent.streamPrompt('Go').textStream()) text += delta
    expect(text).toBe('héllo')
    const items = await Array.fromAsync(agentOf([says('hi')]).builder.build().streamPrompt('Go').toReadableStream())
    expect(items.at(-1)).toMatchObject({ type: 'finalResponse', response: { output: 'hi' } })
  })

  it('starts nothing before it is looked at', async () => {
    const { model, builder } = agentOf([says('hi')])
    const request = builder.build().stream('Go').maxTurns(3).withHistory([Message.user('a'), Message.assistant('b')])
    await sleep(5)
    expect(model.requests).toHaveLength(0)
    await request.response
    expect(model.requests[0]?.messages).toHaveLength(3)
  })

  it('is not slowed down by a consumer that never comes, and slows down for one that is late', async () => {
    const long = 'x'.repeat(5000)
    const unwatched = agentOf([says(long)]).builder.build().stream('Go')
    expect((await unwatched.response).output).toBe(long)
    let count = 0
    for await (const item of agentOf([says(long)]).builder.build().stream('Go')) {
      if (count++ === 0) await sleep(50)
      if (item.type === 'finalResponse') expect(item.response.output).toBe(long)
    }
    expect(count).toBe(5002)
  })
})
