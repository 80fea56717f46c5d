import { describe, it } from 'vitest'
import { startResponsesServer, replyOf } from '../../test/responses-server.ts'
import { Client } from '../providers/openai/client.ts'
import { describeModelConformance } from './model-conformance.ts'
import { ScriptedModel } from './scripted-model.ts'

describeModelConformance('ScriptedModel', async (turns) => ({ model: new ScriptedModel(turns), [Symbol.asyncDispose]: async () => undefined }), { describe, it })

describeModelConformance('ResponsesCompletionModel', async (turns) => {
  // Two entries are for the comparison of an answer at once with a streamed one, in this order.
  const replies = turns.map((turn, index) => replyOf(turn, { isStreaming: turns.length === 1 || index === 1 }))
  const server = await startResponsesServer(replies)
  return { model: new Client({ baseUrl: server.baseUrl }).completionModel('test-model'), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}, { describe, it })
