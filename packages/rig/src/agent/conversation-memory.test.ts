import { describe, expect, it } from 'vitest'
import { Message } from '../completion/message.ts'
import type { AnyMessage } from '../completion/message-types.ts'
import { MaxTurnsError, MemoryError } from '../errors.ts'
import { InMemoryConversationMemory } from '../memory/in-memory-conversation-memory.ts'
import { calls, says, ScriptedModel, toolCall } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { AgentBuilder } from './agent-builder.ts'
import { PromptSuspendedError } from './prompt-suspended-error.ts'

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
