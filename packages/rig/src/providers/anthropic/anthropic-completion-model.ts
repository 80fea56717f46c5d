import type { ModelCapabilities } from '../../completion/completion-model.ts'
import type { HttpClient } from '../../http/http-client.ts'
import { HttpCompletionModel } from '../http-completion-model.ts'
import type { DecodeOptions, DecoderOutput, Wire } from '../wire.ts'
import { decodeMessage } from './decode-response.ts'
import { RequestEncoder, type RequestOptions } from './encode-request.ts'
import { MessagesStreamDecoder } from './messages-stream-decoder.ts'

export interface AnthropicModelOptions extends RequestOptions {
  readonly http: HttpClient
  readonly model: string
}

const PROVIDER = 'anthropic'
const API = 'messages'
const CAPABILITIES: ModelCapabilities = { nativeOutputComposesWithTools: true, toolResultImages: true, strictTools: true, parallelToolCalls: true }

/** Anthropic's Messages API, and servers that speak it: https://platform.claude.com/docs/en/api/messages. */
export class AnthropicCompletionModel extends HttpCompletionModel {
  constructor({ http, model, ...options }: AnthropicModelOptions) {
    const encoder = new RequestEncoder({ ...options, origin: { provider: PROVIDER, api: API, model } })
    super({ http, model, wire: messagesWire(encoder) })
  }
}

function messagesWire(encoder: RequestEncoder): Wire {
  return {
    provider: PROVIDER,
    api: API,
    capabilities: CAPABILITIES,
    path: () => '/v1/messages',
    encode: (request, options) => encoder.encode(request, options),
    decode: decodeMessage,
    streamDecoder: (output: DecoderOutput, options: DecodeOptions) => new MessagesStreamDecoder(output, options),
  }
}
