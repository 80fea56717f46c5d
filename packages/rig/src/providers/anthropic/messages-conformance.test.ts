import { describe, it } from 'vitest'
import { startMessagesServer } from '../../../test/messages-server.ts'
import { describeModelConformance } from '../../testing/model-conformance.ts'
import { Client } from './client.ts'

describeModelConformance('AnthropicCompletionModel', async (turns) => {
  const server = await startMessagesServer(turns)
  return { model: new Client({ baseUrl: server.baseUrl }).completionModel('test-model'), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}, { describe, it, traits: { reasoning: 'signed-text', cachedTokens: 'extra' } })
