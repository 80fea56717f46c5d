import { arrayAt, isJsonObject, numberAt, objectAt, stringAt, type JsonObject } from '../../completion/json.ts'
import { CompletionError } from '../../errors.ts'

export interface ChatErrorContext {
  readonly provider: string
  readonly providerRequestId: string | undefined
  /** The first choice of the answer or chunk, if it has any. */
  readonly choice: JsonObject | undefined
}

/**
 * The error that an answer with status 200 tells of, unless it also says something: OpenRouter and vLLM report failures of a stream that has
 * begun as `{"error":{…}}`, some gateways as a string, or within the choice.
 */
export function chatError(payload: JsonObject, { provider, providerRequestId, choice }: ChatErrorContext): CompletionError | undefined {
  const error = errorObject(payload, choice)
  if (error === undefined || saysSomething(choice)) return undefined
  const number = numberAt(error, 'code')
  const code = stringAt(error, 'code') ?? number?.toString() ?? stringAt(error, 'type')
  const message = stringAt(error, 'message') ?? JSON.stringify(error)
  return new CompletionError('provider_response', `${provider}: ${code === undefined ? '' : `${code}: `}${message}`, {
    bodyJson: payload,
    provider,
    ...(code === undefined ? {} : { code }),
    // OpenRouter gives the status that it would have answered with.
    ...(number === undefined || number < 400 || number > 599 ? {} : { status: number }),
    ...(providerRequestId === undefined ? {} : { providerRequestId }),
  })
}

/** The choice that is read; others, of requests for several, stay in the raw answer. */
export function firstChoice(payload: JsonObject): JsonObject | undefined {
  for (const choice of arrayAt(payload, 'choices')) if (isJsonObject(choice) && (numberAt(choice, 'index') ?? 0) === 0) return choice
  return undefined
}

function errorObject(payload: JsonObject, choice: JsonObject | undefined): JsonObject | undefined {
  const error = payload['error'] ?? choice?.['error'] ?? (payload['object'] === 'error' ? payload : undefined)
  if (typeof error === 'string' && error !== '') return { message: error }
  return isJsonObject(error) && Object.keys(error).length > 0 ? error : undefined
}

const SAYING_FIELDS = ['content', 'refusal', 'reasoning_content', 'reasoning', 'tool_calls']

function saysSomething(choice: JsonObject | undefined): boolean {
  if (choice === undefined) return false
  const said = objectAt(choice, 'delta') ?? objectAt(choice, 'message') ?? {}
  const reason = stringAt(choice, 'finish_reason') ?? ''
  return (reason !== '' && reason !== 'error') || SAYING_FIELDS.some((field) => (stringAt(said, field) ?? '') !== '' || arrayAt(said, field).length > 0)
}
