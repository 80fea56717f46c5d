import { describe, it } from 'vitest'
import { chatReplyOf, startChatServer } from '../../../test/chat-server.ts'
import { describeModelConformance } from '../../testing/model-conformance.ts'
import { CompatibleClient, CompletionsClient, type CompatibleClientOptions } from './client.ts'
import { CHAT_SERVERS, type ChatServer } from './dialects.ts'

type Connect = (options: Pick<CompatibleClientOptions, 'baseUrl'>) => CompatibleClient

function register(name: string, { dialect }: Pick<ChatServer, 'dialect'>, connect: Connect): void {
  const reasoning = dialect.replayReasoning === 'none' ? 'reasoning_content' : dialect.replayReasoning
  describeModelConformance(name, async (turns) => {
    // Two entries are for the comparison of an answer at once with a streamed one, in this order.
    const server = await startChatServer(turns.map((turn, index) => chatReplyOf(turn, { isStreaming: turns.length === 1 || index === 1, reasoning })))
    return { model: connect({ baseUrl: server.baseUrl }).completionModel('test-model'), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
  }, { describe, it, traits: { reasoning: reasoning === 'reasoning_details' ? 'summary-encrypted' : 'text', cachedTokens: 'subset' } })
}

register('ChatCompletionModel', CHAT_SERVERS.openai, (options) => new CompletionsClient(options))
for (const [name, server] of Object.entries(CHAT_SERVERS)) {
  // The promises are made with tools in the request, which one of the servers does not take: what it answers is read all the same.
  const { provider, dialect }: ChatServer = server.dialect.tools ? server : { ...server, dialect: { ...server.dialect, tools: true } }
  register(`ChatCompletionModel of ${name}`, { dialect }, (options) => new CompatibleClient({ ...options, provider, dialect }))
}
