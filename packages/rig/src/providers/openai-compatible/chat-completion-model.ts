import type { ModelCapabilities } from '../../completion/completion-model.ts'
import type { HttpClient } from '../../http/http-client.ts'
import { HttpCompletionModel } from '../http-completion-model.ts'
import type { Wire } from '../wire.ts'
import type { ChatDialect } from './chat-dialect.ts'
import { ChatStreamDecoder } from './chat-stream-decoder.ts'
import { decodeChatResponse } from './decode-chat-response.ts'
import { ChatRequestEncoder } from './encode-chat-request.ts'

export interface ChatModelOptions {
  readonly http: HttpClient
  readonly model: string
  /** The name of the server in origins and errors. */
  readonly provider: string
  readonly dialect: ChatDialect
  /** Makes every tool strict that does not say otherwise; `undefined` leaves it to the server. */
  readonly strictTools: boolean | undefined
  /** The path of requests to a model, below the base address; `/chat/completions` unless given. */
  readonly path?: ((model: string) => string) | undefined
}

const API = 'chat'

/** Chat Completions of OpenAI, and of the many servers that speak it: https://platform.openai.com/docs/api-reference/chat. */
export class ChatCompletionModel extends HttpCompletionModel {
  constructor(options: ChatModelOptions) {
    super({ http: options.http, model: options.model, wire: chatWire(options) })
  }
}

function chatWire({ provider, model, dialect, strictTools, path = () => '/chat/completions' }: ChatModelOptions): Wire {
  const encoder = new ChatRequestEncoder({ origin: { provider, api: API, model }, dialect, strictTools })
  const decoding = { provider, thinkTags: dialect.thinkTags }
  return {
    provider,
    api: API,
    capabilities: capabilitiesOf(dialect),
    path,
    encode: (request, options) => encoder.encode(request, options),
    decode: (answer, options) => decodeChatResponse(answer, { ...decoding, ...options }),
    streamDecoder: (output, options) => new ChatStreamDecoder(output, { ...decoding, ...options }),
  }
}

function capabilitiesOf({ outputWithTools, toolResultImages, strictTools, tools }: ChatDialect): ModelCapabilities {
  return { nativeOutputComposesWithTools: outputWithTools, toolResultImages, strictTools, parallelToolCalls: tools }
}
