/** What OpenAI demands of the messages: every call is answered at once, and nothing is answered that was not called. */
import { ApiError } from '../api-error.ts'
import { objectsOf, textOf, type JsonObject } from '../json.ts'

/** @throws ApiError 400 with OpenAI's sentence */
export function checkConversation(messages: readonly JsonObject[]): void {
  let open = new Set<string>()
  let askedAt = 0
  let isAnswering = false
  messages.forEach((message, index) => {
    if (message['role'] === 'tool') {
      const callId = textOf(message['tool_call_id'])
      if (!isAnswering) throw stray(index)
      if (!open.delete(callId)) throw new ApiError(`Invalid parameter: 'tool_call_id' of '${callId}' not found in 'tool_calls' of previous message.`, { param: `messages.[${index}].tool_call_id` })
      return
    }
    refuseOpen(open, askedAt)
    const calls = message['role'] === 'assistant' ? objectsOf(message['tool_calls']) : []
    open = new Set(calls.map((call) => textOf(call['id'])))
    askedAt = index
    isAnswering = calls.length > 0
  })
  refuseOpen(open, askedAt)
}

function refuseOpen(open: ReadonlySet<string>, askedAt: number): void {
  if (open.size === 0) return
  const message = `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...open].join(', ')}`
  throw new ApiError(message, { param: `messages.[${askedAt}].role` })
}

function stray(index: number): ApiError {
  return new ApiError("Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.", { param: `messages.[${index}].role` })
}
