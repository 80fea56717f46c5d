import type { ModelCapabilities } from '../../completion/completion-model.ts'
import { arrayAt, isJsonObject, objectAt, stringAt, type JsonObject } from '../../completion/json.ts'
import type { AssistantContent } from '../../completion/message-types.ts'
import { PartsAccumulator } from '../../completion/parts-accumulator.ts'
import { CompletionError } from '../../errors.ts'
import type { HttpClient } from '../../http/http-client.ts'
import { HttpCompletionModel } from '../http-completion-model.ts'
import type { DecodedResponse, DecodeOptions, DecoderOutput, Wire } from '../wire.ts'
import { itemChoices, responseFinal } from './decode-response.ts'
import { RequestEncoder, type SystemInstructions } from './encode-request.ts'
import { responseError } from './response-error.ts'
import { ResponsesStreamDecoder } from './responses-stream-decoder.ts'

export interface ResponsesModelOptions {
  readonly http: HttpClient
  readonly model: string
  readonly systemInstructions: SystemInstructions
  readonly itemForm: 'full' | 'plain'
  readonly strictTools: boolean | undefined
  readonly replayPhase: boolean
  readonly serverState: boolean
}

const PROVIDER = 'openai'
const API = 'responses'
const CAPABILITIES: ModelCapabilities = { nativeOutputComposesWithTools: true, toolResultImages: true, strictTools: true, parallelToolCalls: true }

/** OpenAI's Responses API, and servers that speak it: https://platform.openai.com/docs/api-reference/responses. */
export class ResponsesCompletionModel extends HttpCompletionModel {
  constructor({ http, model, ...options }: ResponsesModelOptions) {
    const encoder = new RequestEncoder({ origin: { provider: PROVIDER, api: API, model }, ...options })
    super({ http, model, wire: responsesWire(encoder) })
  }
}

function responsesWire(encoder: RequestEncoder): Wire {
  return {
    provider: PROVIDER,
    api: API,
    capabilities: CAPABILITIES,
    path: () => '/responses',
    encode: (request, options) => encoder.encode(request, options),
    decode: decodeAnswer,
    streamDecoder: (output: DecoderOutput, options: DecodeOptions) => new ResponsesStreamDecoder(output, options),
  }
}

function decodeAnswer(json: JsonObject, { providerRequestId, includeRaw = false }: DecodeOptions): DecodedResponse {
  const status = stringAt(json, 'status')
  if (status === 'failed' || status === 'cancelled' || objectAt(json, 'error') !== undefined) throw responseError(json, providerRequestId)
  const choice = choiceOf(json, status !== 'incomplete')
  if (choice.length === 0 && arrayAt(json, 'output').length === 0 && status !== 'incomplete') throw new CompletionError('response', 'The answer is empty', { bodyJson: json })
  const messageId = messageIdOf(json)
  return {
    ...responseFinal(json, providerRequestId),
    ...(messageId === undefined ? {} : { messageId }),
    choice,
    ...(includeRaw ? { raw: json } : {}),
  }
}

function choiceOf(json: JsonObject, isComplete: boolean): readonly AssistantContent[] {
  const parts = new PartsAccumulator()
  const items = arrayAt(json, 'output').filter(isJsonObject)
  // Some servers give reasoning as plain text beside the output.
  const reasoning = stringAt(json, 'reasoning')
  if (reasoning !== undefined && !items.some((item) => item['type'] === 'reasoning')) {
    parts.accept({ type: 'reasoning_start', id: 'reasoning', position: -1 })
    parts.accept({ type: 'reasoning_end', id: 'reasoning', restated: [{ type: 'text', text: reasoning }] })
  }
  for (const [position, item] of items.entries()) {
    for (const choice of itemChoices(item, { key: `item ${position}`, position, isCutOff: !isComplete })) parts.accept(choice)
  }
  return parts.finish({ isComplete })
}

function messageIdOf(json: JsonObject): string | undefined {
  const message = arrayAt(json, 'output').filter(isJsonObject).find((item) => item['type'] === 'message')
  return message === undefined ? undefined : stringAt(message, 'id')
}
