import type { ToolCall } from '../completion/message-types.ts'

/** The tool calls of an answer, in wire order. */
export function toolCallsOf(message: { readonly role: string; readonly content: string | readonly { readonly type: string }[] } | undefined): readonly ToolCall[] {
  if (message?.role !== 'assistant' || typeof message.content === 'string') return []
  return message.content.filter(isToolCall)
}

function isToolCall(part: { readonly type: string }): part is ToolCall {
  return part.type === 'tool_call'
}
