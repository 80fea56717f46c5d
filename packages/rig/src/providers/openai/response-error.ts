import { objectAt, stringAt, type Json, type JsonObject } from '../../completion/json.ts'
import { CompletionError } from '../../errors.ts'

/** The error of an answer that has begun with status 200: a failed response, or an `error` event with its fields at the top or inside. */
export function responseError(payload: JsonObject, providerRequestId: string | undefined): CompletionError {
  const error = objectAt(payload, 'error') ?? payload
  const code = stringAt(error, 'code') ?? (stringAt(error, 'type') === 'error' ? undefined : stringAt(error, 'type'))
  const message = stringAt(error, 'message') ?? `the response ended as ${stringAt(payload, 'status') ?? 'an error'}`
  const bodyJson: Json = payload
  return new CompletionError('provider_response', `openai: ${code === undefined ? '' : `${code}: `}${message}`, {
    bodyJson,
    provider: 'openai',
    ...(code === undefined ? {} : { code }),
    ...(providerRequestId === undefined ? {} : { providerRequestId }),
  })
}
