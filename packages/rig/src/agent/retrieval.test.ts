import { describe, expect, it } from 'vitest'
import { Message } from '../completion/message.ts'
import { calls, says, ScriptedModel, toolCall } from '../testing/scripted-model.ts'
import { ToolSet } from '../tool/tool-set.ts'
import { tool } from '../tool/tool.ts'
import { AgentBuilder } from './agent-builder.ts'
import type { ContextIndex, RetrievalQuery } from './retrieval.ts'

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
