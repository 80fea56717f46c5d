/** OpenAI's `POST /v1/embeddings`. */
import { ApiError } from '../api-error.ts'
import type { TurnEnd } from '../model-turn.ts'
import { checkBearer, openaiErrorBody } from '../openai-refusals.ts'
import type { Wire, WireRequest } from '../wire.ts'
import { parseEmbeddingsRequest } from './request.ts'
import { embeddingsObject } from './response-object.ts'

export class EmbeddingsWire implements Wire {
  readonly requestIdHeader = 'x-request-id'
  readonly checkHeaders = checkBearer
  readonly errorBody = openaiErrorBody

  read(body: unknown): WireRequest {
    const request = parseEmbeddingsRequest(body)
    return {
      question: { wire: 'embeddings', model: request.model, entries: [], tools: [], mayCallTools: false, input: request.texts },
      isStream: false,
      variant: '',
      check: () => undefined,
      encode: (turn) => ({ frames: [], body: turn.quirks?.includes('no_usage') === true ? without(embeddingsObject(request), 'usage') : embeddingsObject(request) }),
    }
  }

  unknownModel(name: string): ApiError {
    return new ApiError(`The model \`${name}\` does not exist or you do not have access to it.`, { status: 404, code: 'model_not_found' })
  }

  unaryFailure(end: TurnEnd): ApiError | undefined {
    return end.type === 'error' || end.type === 'failed' ? new ApiError(end.message, { status: 500, type: 'server_error', code: end.code }) : undefined
  }

  /** There is no stream here that it could stand in. */
  noise(): string {
    return ''
  }
}

function without(object: Readonly<Record<string, unknown>>, key: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))
}
