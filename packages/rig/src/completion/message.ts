import type {
  AnyMessage, AssistantContent, AssistantMessage, MessageInput, SystemMessage,
  ToolCall, ToolResult, ToolResultContent, UserContent, UserMessage,
} from './message-types.ts'
import { parseMessage } from './parse-message.ts'

/** One message of a conversation; see `AnyMessage` for the rule that messages are values. */
export type Message = AnyMessage

/** Constructors and readers of messages. */
export const Message = {
  user(content: string | readonly UserContent[]): UserMessage {
    return { role: 'user', content: typeof content === 'string' ? [{ type: 'text', text: content }] : content }
  },

  assistant(content: string | readonly AssistantContent[]): AssistantMessage {
    return { role: 'assistant', content: typeof content === 'string' ? [{ type: 'text', text: content }] : content }
  },

  system(text: string): SystemMessage {
    return { role: 'system', content: text }
  },

  /** The user message that answers `call`. */
  toolResult(call: ToolCall, output: string | readonly ToolResultContent[], options: { readonly isError?: boolean } = {}): UserMessage {
    return { role: 'user', content: [toolResultOf(call, output, options)] }
  },

  /** A prompt in any accepted form as a message. */
  from(input: MessageInput): Message {
    return typeof input === 'string' || isParts(input) ? Message.user(input) : input
  },

  /** The text parts, joined without a separator: models split one text (JSON too) over several parts. */
  text(message: Message): string {
    return message.role === 'system' ? message.content : textOf(message.content)
  },

  /** Reads stored JSON, including what Rig 0.29 wrote. Throws `TypeError` naming the place that is wrong. */
  parse(json: unknown): Message {
    return parseMessage(json)
  },
} as const

/** The text parts of `content`, joined without a separator. */
export function textOf(content: readonly (UserContent | AssistantContent)[]): string {
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

/** The result part that answers `call`; `options.name` when another tool than the named one ran. */
export function toolResultOf(
  call: ToolCall,
  output: string | readonly ToolResultContent[],
  options: { readonly isError?: boolean; readonly name?: string } = {},
): ToolResult {
  return {
    type: 'tool_result',
    id: call.id,
    name: options.name ?? call.function.name,
    ...(call.provider === undefined ? {} : { provider: call.provider }),
    content: typeof output === 'string' ? [{ type: 'text', text: output }] : output,
    ...(options.isError === true ? { isError: true } : {}),
  }
}

function isParts(input: readonly UserContent[] | Message): input is readonly UserContent[] {
  return Array.isArray(input)
}
