import { describe, expect, it } from 'vitest'
import { Message } from '../completion/message.ts'
import type { AnyMessage } from '../completion/message-types.ts'
import { MaxTurnsError, MemoryError, PromptCancelledError, PromptError } from '../errors.ts'
import { InMemoryConversationMemory } from '../memory/in-memory-conversation-memory.ts'
import { calls, says, ScriptedModel, toolCall, type ScriptedTurn } from '../testing/scripted-model.ts'
import { ToolSet } from '../tool/tool-set.ts'
import { tool } from '../tool/tool.ts'
import { AgentBuilder } from './agent-builder.ts'
import { PromptSuspendedError } from './prompt-suspended-error.ts'
import type { ContextIndex, RetrievalQuery } from './retrieval.ts'

const textsOf = (messages: readonly AnyMessage[] | undefined) => (messages ?? []).map((message) => Message.text(message))

describe('conversation memory', () => {
  it('gives a run its history and keeps what it said', async () => {
    const memory = new InMemoryConversationMemory()
    const model = new ScriptedModel([says('Hello Ada.'), says('Ada.'), says('Who?')])
    const agent = new AgentBuilder(model).memory(memory).build()
    await agent.prompt('I am Ada.').withConversation('a')
    await agent.streamPrompt('Who am I?').withConversation('a').response
    await agent.prompt('Who am I?').withConversation('b')
    expect(textsOf(model.requests[1]?.messages)).toEqual(['I am Ada.', 'Hello Ada.', 'Who am I?'])
    expect(textsOf(model.requests[2]?.messages)).toEqual(['Who am I?'])
    expect(textsOf(await memory.load('a'))).toEqual(['I am Ada.', 'Hello Ada.', 'Who am I?', 'Ada.'])
  })

  it('has kept the answer before anybody hears that the run is done', async () => {
    const memory = new InMemoryConversationMemory()
    const agent = new AgentBuilder(new ScriptedModel([says('Hello.')])).memory(memory).build()
    for await (const item of agent.streamPrompt('Hi').withConversation('a')) if (item.type === 'finalResponse') expect(await memory.load('a')).toHaveLength(2)
  })

  it('is neither read nor written when a history is given, and keeps nothing of a run that failed', async () => {
    const memory = new InMemoryConversationMemory()
    const agent = new AgentBuilder(new ScriptedModel([says('One.'), calls(toolCall('c', 'none'))])).memory(memory).build()
    await agent.prompt('Hi').withHistory([]).withConversation('a')
    await expect(agent.run('Hi', { conversationId: 'a', maxTurns: 1 })).rejects.toBeInstanceOf(MaxTurnsError)
    expect(await memory.load('a')).toEqual([])
  })

  it('that cannot be read ends the run; one that cannot be written is reported, and the answer stays', async () => {
    const broken = { load: () => Promise.reject(new Error('disk')), append: () => Promise.reject(new Error('disk')), clear: () => Promise.resolve() }
    const warnings: Error[] = []
    const agent = (memory: typeof broken) => new AgentBuilder(new ScriptedModel([says('Hello.')])).memory(memory).hook({ onWarning: (_ctx, { error }) => void warnings.push(error) }).build()
    await expect(agent(broken).run('Hi', { conversationId: 'a' })).rejects.toBeInstanceOf(MemoryError)
    await expect(agent({ ...broken, load: () => Promise.resolve([]) as never }).run('Hi', { conversationId: 'a' })).resolves.toMatchObject({ output: 'Hello.' })
    expect(warnings).toMatchObject([{ operation: 'append', conversationId: 'a' }])
  })

  it('is added to by a run that was suspended, once it has ended', async () => {
    const memory = new InMemoryConversationMemory()
    const ask = tool({ name: 'ask', description: 'Asks.', call: () => 'yes' })
    const agent = new AgentBuilder(new ScriptedModel([calls(toolCall('c', 'ask')), says('Done.')])).tool(ask).memory(memory)
      .hook({ onToolCall: () => ({ type: 'suspend', reason: 'approval' }) }).build()
    const suspended = await agent.run('Go', { conversationId: 'a' }).catch((error: unknown) => error)
    if (!(suspended instanceof PromptSuspendedError)) throw new TypeError('not suspended')
    await agent.resume(suspended.run, { decisions: { c: { type: 'run' } }, conversationId: 'a' }).response
    expect((await memory.load('a')).map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant'])
  })
})

describe('context that depends on the prompt', () => {
  function indexOf(documents: readonly { readonly id: string; readonly document: unknown }[]) {
    const asked: RetrievalQuery[] = []
    const index: ContextIndex = { topN: (request) => {
      asked.push(request)
      return Promise.resolve(documents.slice(0, request.samples))
    } }
    return { asked, index }
  }
  const look = tool({ name: 'look', description: 'Looks.', call: () => 'seen' })

  it('is looked up once per run and shown with every call of it', async () => {
    const { asked, index } = indexOf([{ id: 'd1', document: 'Cats purr.' }, { id: 'd2', document: { title: 'Dogs' } }, { id: 'd3', document: 'never' }])
    const model = new ScriptedModel([calls(toolCall('c', 'look')), says('Done.')])
    await new AgentBuilder(model).context('Always.').dynamicContext(2, index).tool(look).build().run('Do cats purr?')
    expect(asked).toEqual([{ query: 'Do cats purr?', samples: 2 }])
    for (const { documents } of model.requests) {
      expect(documents).toEqual([{ id: 'static_doc_0', text: 'Always.' }, { id: 'd1', text: 'Cats purr.' }, { id: 'd2', text: '{\n  "title": "Dogs"\n}' }])
    }
  })

  it('is looked up before each call when that is wanted, by the newest text that a user has said', async () => {
    const { asked, index } = indexOf([])
    const model = new ScriptedModel([calls(toolCall('c', 'look')), says('Done.')])
    await new AgentBuilder(model).dynamicContext(1, index, { everyTurn: true }).tool(look).build().run([{ type: 'image', source: { kind: 'url', url: 'https://example.com/cat.png' } }], { history: [Message.user('A cat?'), Message.assistant('Yes.')] })
    expect(asked.map(({ query }) => query)).toEqual(['A cat?', 'A cat?'])
  })

  it('can be tools: those found for the prompt are offered before the others, and run', async () => {
    const add = tool({ name: 'add', description: 'Adds.', call: () => '3' })
    const sub = tool({ name: 'subtract', description: 'Subtracts.', call: () => '1' })
    const model = new ScriptedModel([calls(toolCall('c', 'add')), says('Done.')])
    const toolIndex = { topNIds: ({ samples }: RetrievalQuery) => Promise.resolve(['add', 'gone', 'subtract'].slice(0, samples).map((id) => ({ id }))) }
    await new AgentBuilder(model).tool(look).dynamicTools(2, toolIndex, ToolSet.from([add, sub])).build().run('1 + 2?')
    expect(model.requests.map(({ tools }) => tools?.map(({ name }) => name))).toEqual([['add', 'look'], ['add', 'look']])
    expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toContain('"text":"3"')
  })
})

describe('an agent as a tool', () => {
  const helperOf = (...turns: readonly ScriptedTurn[]) => new AgentBuilder(new ScriptedModel(turns)).name('Best helper!').preamble('A secret recipe.').build()

  it('answers with its final text; its instructions stay its own', async () => {
    const model = new ScriptedModel([calls(toolCall('c', 'Best_helper_', { prompt: 'Help' })), says('Done.')])
    const response = await new AgentBuilder(model).tool(helperOf(says('Helped.')).asTool()).build().run('Go')
    expect(JSON.stringify(response.messages[2])).toContain('Helped.')
    expect(JSON.stringify(model.requests[0]?.tools)).not.toContain('secret')
  })

  it('shares deps and signal with the run that calls it', async () => {
    const seen: unknown[] = []
    const spy = tool({ name: 'spy', description: 'Looks at deps.', call: (_args, { deps, depth, signal }) => {
      seen.push(deps, depth)
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
    } })
    const helper = new AgentBuilder(new ScriptedModel([calls(toolCall('s', 'spy'))])).name('helper').tool(spy).build()
    const controller = new AbortController()
    const run = new AgentBuilder(new ScriptedModel([calls(toolCall('c', 'helper', { prompt: 'Help' }))])).tool(helper.asTool()).build().run('Go', { deps: { user: 'ada' }, signal: controller.signal })
    while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    controller.abort('enough')
    await expect(run).rejects.toBeInstanceOf(PromptCancelledError)
    expect(seen).toEqual([{ user: 'ada' }, 1])
  })

  it('tells its caller that it came to no end', async () => {
    const model = new ScriptedModel([calls(toolCall('c', 'helper', { prompt: 'Help' })), says('Then not.')])
    const helper = helperOf(calls(toolCall('x', 'nothing')))
    const response = await new AgentBuilder(model).tool(helper.asTool({ name: 'helper', maxTurns: 1 })).build().run('Go')
    expect(JSON.stringify(response.messages[2])).toContain('No final answer after 1 model call')
  })

  it('cannot call itself for ever', async () => {
    const circle: ScriptedTurn[] = Array.from({ length: 20 }, (_, index) => calls(toolCall(`c${index}`, 'again', { prompt: 'deeper' })))
    const builder = new AgentBuilder(new ScriptedModel([...circle.slice(0, 8), ...Array.from({ length: 8 }, () => says('up'))]))
    const agent = builder.name('again').build()
    agent.toolServer.add(agent.asTool())
    const response = await agent.run('Go')
    expect(response.output).toBe('up')
    await expect(new AgentBuilder(new ScriptedModel(circle)).build().run('Go', { maxTurns: 1 })).rejects.toBeInstanceOf(PromptError)
  })
})

describe('hooks', () => {
  const look = tool({ name: 'look', description: 'Looks.', call: () => 'seen' })

  it('choose another model for a call', async () => {
    const [first, second] = [new ScriptedModel([says('first')]), new ScriptedModel([says('second')])]
    const agent = new AgentBuilder(first).hook({ onModelSelect: (_ctx, { candidate }) => (candidate === first ? { type: 'use', model: second } : undefined) }).build()
    await expect(agent.run('Go')).resolves.toMatchObject({ output: 'second' })
  })

  it.each([
    ['answer with their own words', { type: 'feedback', text: 'Try look.' } as const, 'Try look.'],
    ['skip it with a reason', { type: 'skip', reason: 'Not today.' } as const, 'Not today.'],
  ])('decide about a call of an unknown tool: %s', async (_title, verdict, said) => {
    const model = new ScriptedModel([calls(toolCall('c', 'lok')), says('Done.')])
    await new AgentBuilder(model).tool(look).hook({ onInvalidToolCall: () => verdict }).build().run('Go')
    expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toContain(said)
  })

  it('end the run over an unknown tool', async () => {
    const run = (verdict: { type: 'fail' } | { type: 'stop'; reason: string }) => new AgentBuilder(new ScriptedModel([calls(toolCall('c', 'lok'))])).tool(look).hook({ onInvalidToolCall: () => verdict }).build().run('Go')
    await expect(run({ type: 'fail' })).rejects.toMatchObject({ name: 'UnknownToolCallError', available: ['look'] })
    await expect(run({ type: 'stop', reason: 'no more' })).rejects.toMatchObject({ name: 'PromptCancelledError', reason: 'no more' })
  })

  it.each(['onCompletionCall', 'onCompletionResponse', 'onModelTurnFinished', 'onToolCall', 'onToolResult'] as const)('stop the run in %s, by verdict and by cancel', async (name) => {
    const run = (hook: object) => new AgentBuilder(new ScriptedModel([calls(toolCall('c', 'look')), says('Done.')])).tool(look).hook(hook).build().run('Go')
    await expect(run({ [name]: () => ({ type: 'stop', reason: 'enough' }) })).rejects.toMatchObject({ name: 'PromptCancelledError', reason: 'enough' })
    await expect(run({ [name]: (ctx: { cancel(reason?: string): never }) => ctx.cancel() })).rejects.toMatchObject({ reason: '<no reason given>' })
  })

  it.each(['onTextDelta', 'onReasoningDelta', 'onToolCallDelta', 'onStreamCompletionResponseFinish'] as const)('stop a stream in %s', async (name) => {
    const turn: ScriptedTurn = { type: 'answer', content: [{ type: 'reasoning', content: [{ type: 'text', text: 'hm' }] }, { type: 'text', text: 'so' }, toolCall('c', 'look')] }
    const hook = { [name]: () => ({ type: 'stop', reason: 'enough' }) }
    const stream = new AgentBuilder(new ScriptedModel([turn])).tool(look).hook(hook).build().stream('Go')
    const seen: string[] = []
    const iterate = async () => {
      for await (const item of stream) seen.push(item.type)
    }
    await expect(iterate()).rejects.toMatchObject({ name: 'PromptCancelledError', reason: 'enough' })
    expect(seen).not.toContain('finalResponse')
  })
})
