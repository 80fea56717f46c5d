import type { StreamedAssistantContent, StreamFinal } from '../../src/completion/completion-event.ts'
import type { AssistantContent } from '../../src/completion/message-types.ts'
import { PartsAccumulator } from '../../src/completion/parts-accumulator.ts'
import { MessagesStreamDecoder } from '../../src/providers/anthropic/messages-stream-decoder.ts'
import type { DecoderOutput, StreamDecoder } from '../../src/providers/wire.ts'
import { ChatStreamDecoder } from '../../src/providers/openai-compatible/chat-stream-decoder.ts'
import { ResponsesStreamDecoder } from '../../src/providers/openai/responses-stream-decoder.ts'

export type DecoderName = 'responses' | 'chat' | 'think tags' | 'messages'

/** What a decoder has made of what it got. */
export interface DecodedStream {
  readonly items: readonly StreamedAssistantContent[]
  readonly choice: readonly AssistantContent[]
  readonly finals: readonly StreamFinal[]
  readonly isFinished: boolean
}

/** A decoder with what stands behind it in a call: its parts are put together as ever. */
export interface StreamUnderTest {
  readonly push: (data: string) => void
  readonly end: () => void
  readonly result: () => DecodedStream
}

type MakeDecoder = (output: DecoderOutput) => StreamDecoder

function underTest(make: MakeDecoder): StreamUnderTest {
  const items: StreamedAssistantContent[] = []
  const finals: StreamFinal[] = []
  const parts = new PartsAccumulator((item) => items.push(item))
  const decoder = make({
    choice: (choice) => parts.accept(choice),
    finish: (final, options) => {
      parts.finish(options)
      finals.push(final)
    },
  })
  return {
    push: (data) => decoder.push(data),
    end: () => decoder.end(),
    result: () => ({ items, finals, choice: parts.snapshot(), isFinished: decoder.isFinished }),
  }
}

const PROVIDER_REQUEST = { providerRequestId: 'req_1', includeRaw: true }

/** Every decoder of streams, ready for one answer. */
export const STREAM_DECODERS: Readonly<Record<DecoderName, () => StreamUnderTest>> = {
  responses: () => underTest((output) => new ResponsesStreamDecoder(output, PROVIDER_REQUEST)),
  chat: () => underTest((output) => new ChatStreamDecoder(output, { provider: 'test', thinkTags: false, ...PROVIDER_REQUEST })),
  'think tags': () => underTest((output) => new ChatStreamDecoder(output, { provider: 'test', thinkTags: true, ...PROVIDER_REQUEST })),
  messages: () => underTest((output) => new MessagesStreamDecoder(output, PROVIDER_REQUEST)),
}
