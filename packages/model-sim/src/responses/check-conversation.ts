/** What OpenAI demands of a replayed conversation: calls and outputs in pairs, reasoning beside what it led to, no id twice. */
import { ApiError } from '../api-error.ts'
import { textOf, type JsonObject } from '../json.ts'
import { readItemId } from './item-id.ts'
import { isOwnSecret } from './secret.ts'

/** @throws ApiError 400 (404 for reasoning that was never persisted) with OpenAI's sentence */
export function checkConversation(input: readonly JsonObject[], options: { readonly isStored: boolean }): void {
  checkDuplicates(input)
  checkCallPairs(input)
  checkReasoning(input, options)
}

function checkDuplicates(input: readonly JsonObject[]): void {
  const seen = new Set<string>()
  for (const id of input.map((item) => textOf(item['id'])).filter((text) => text !== '')) {
    if (seen.has(id)) throw refusal(`Duplicate item found with id ${id}. Remove duplicate items from your input and try again.`)
    seen.add(id)
  }
}

function checkCallPairs(input: readonly JsonObject[]): void {
  const open = new Set<string>()
  const known = new Set<string>()
  for (const item of input) {
    const callId = textOf(item['call_id'])
    if (item['type'] === 'function_call') {
      if (known.has(callId)) throw refusal(`Duplicate function call found with call_id ${callId}.`)
      known.add(callId)
      open.add(callId)
    }
    if (item['type'] === 'function_call_output') {
      if (!known.has(callId)) throw refusal(`No tool call found for function call output with call_id ${callId}.`)
      if (!open.delete(callId)) throw refusal(`Duplicate function call output found for call_id ${callId}.`)
    }
  }
  const [unanswered] = open
  if (unanswered !== undefined) throw refusal(`No tool output found for function call ${unanswered}.`)
}

function checkReasoning(input: readonly JsonObject[], { isStored }: { readonly isStored: boolean }): void {
  const seen = new Set<string>()
  input.forEach((item, index) => {
    const id = textOf(item['id'])
    const requires = readItemId(id)?.requires
    if (requires !== undefined && !seen.has(requires)) {
      throw refusal(`Item '${id}' of type '${textOf(item['type'])}' was provided without its required 'reasoning' item: '${requires}'.`)
    }
    seen.add(id)
    if (item['type'] !== 'reasoning') return
    checkSecret(item, isStored)
    if (!isFollower(input[index + 1], id)) throw refusal(`Item '${id}' of type 'reasoning' was provided without its required following item.`)
  })
}

function checkSecret(item: JsonObject, isStored: boolean): void {
  const id = textOf(item['id'])
  const secret = textOf(item['encrypted_content'])
  if (secret === '' && !isStored) {
    const message = `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`
    throw new ApiError(message, { status: 404, param: 'input' })
  }
  if (secret === '' || readItemId(id) === undefined || isOwnSecret(secret, id)) return
  throw new ApiError(`The encrypted content for item ${id} could not be verified.`, { code: 'invalid_encrypted_content' })
}

/** Reasoning leads to more reasoning, a call, a hosted item or the assistant's message, of the same response where the ids tell. */
function isFollower(next: JsonObject | undefined, reasoning: string): boolean {
  if (next === undefined || next['type'] === 'function_call_output') return false
  if (next['type'] === 'message' && next['role'] !== 'assistant') return false
  const issued = readItemId(textOf(next['id']))
  const own = readItemId(reasoning)
  return issued === undefined || own === undefined || issued.response === own.response
}

function refusal(message: string): ApiError {
  return new ApiError(message, { param: 'input' })
}
