import { objectAt, stringAt, type JsonObject } from '../../completion/json.ts'
import { CompletionError } from '../../errors.ts'

/** The error of an answer that has begun with status 200: https://platform.claude.com/docs/en/api/errors. */
export function messagesError(payload: JsonObject, providerRequestId: string | undefined): CompletionError {
  const error = objectAt(payload, 'error') ?? payload
  const code = stringAt(error, 'type')
  const requestId = stringAt(payload, 'request_id') ?? providerRequestId
  return new CompletionError('provider_response', `anthropic: ${code === undefined ? '' : `${code}: `}${stringAt(error, 'message') ?? 'the answer ended as an error'}`, {
    bodyJson: payload,
    provider: 'anthropic',
    ...(code === undefined ? {} : { code }),
    ...(requestId === undefined ? {} : { providerRequestId: requestId }),
  })
}
