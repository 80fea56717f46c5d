import type { FinishReason } from '../completion/completion-event.ts'
import type { Json } from '../completion/json.ts'
import type { AnyMessage, AssistantContent, UserContent } from '../completion/message-types.ts'

/** Messages as the attribute `gen_ai.input.messages` has them: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/. */
export function inputMessages(messages: readonly AnyMessage[]): string {
  return JSON.stringify(messages.flatMap((message): Json[] => (message.role === 'system' ? [] : [{ role: roleOf(message), parts: message.content.map(partOf) }])))
}

/** An answer as the attribute `gen_ai.output.messages` has it. */
export function outputMessages(content: readonly AssistantContent[], reason: FinishReason | undefined): string {
  return JSON.stringify([{ role: 'assistant', parts: content.map(partOf), finish_reason: typeof reason === 'object' ? reason.other : reason ?? 'stop' }])
}

export function systemInstructions(messages: readonly AnyMessage[]): string {
  return JSON.stringify(messages.flatMap((message) => (message.role === 'system' ? [{ type: 'text', content: message.content }] : [])))
}

function roleOf(message: Exclude<AnyMessage, { role: 'system' }>): string {
  return message.role === 'user' && message.content.some((part) => part.type === 'tool_result') ? 'tool' : message.role
}

/** Bytes of media are left out: an attribute is no place for them. */
function partOf(part: UserContent | AssistantContent): Json {
  switch (part.type) {
    case 'text': return { type: 'text', content: part.text }
    case 'tool_call': return { type: 'tool_call', id: part.id, name: part.function.name, arguments: part.function.arguments }
    case 'tool_result': return { type: 'tool_call_response', id: part.id, response: part.content.map((block) => (block.type === 'json' ? block.value : block.type === 'text' ? block.text : `(${block.type})`)) }
    case 'reasoning': return { type: 'reasoning', content: part.content.map((entry) => (entry.type === 'text' || entry.type === 'summary' ? entry.text : '')).join('') }
    case 'image':
    case 'audio':
    case 'video':
    case 'document':
    case 'provider_item': return { type: part.type }
  }
}
