import type { Json, JsonObject } from './json.ts'

/** What OpenAI adds to a part and wants back when it is replayed. */
export interface OpenAiPartMeta {
  readonly itemId?: string
  readonly phase?: string
  readonly annotations?: readonly Json[]
  readonly logprobs?: readonly Json[]
  readonly refusal?: boolean
}

/** Provider extras of a part. The runtime carries them and never looks inside; each provider reads its own key. */
export interface PartMeta {
  readonly openai?: OpenAiPartMeta
  readonly anthropic?: { readonly citations?: readonly Json[] }
  readonly [provider: string]: unknown
}

/** Which model wrote an assistant message. Ids, signatures and encrypted reasoning are replayed to the same origin only. */
export interface ModelOrigin {
  readonly provider: string
  readonly api: string
  readonly model: string
}

export interface TextPart {
  readonly type: 'text'
  readonly text: string
  readonly meta?: PartMeta
}

/** Where the bytes of an image or document are. */
export type MediaSource =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'base64'; readonly data: string }
  | { readonly kind: 'fileId'; readonly id: string }
  | { readonly kind: 'text'; readonly text: string }

export interface ImagePart {
  readonly type: 'image'
  readonly source: MediaSource
  readonly mediaType?: string
  readonly detail?: 'auto' | 'low' | 'high'
  readonly meta?: PartMeta
}

export interface DocumentPart {
  readonly type: 'document'
  readonly source: MediaSource
  readonly mediaType?: string
  readonly filename?: string
  readonly meta?: PartMeta
}

export interface AudioPart {
  readonly type: 'audio'
  readonly source: MediaSource
  readonly mediaType?: string
}

export interface VideoPart {
  readonly type: 'video'
  readonly source: MediaSource
  readonly mediaType?: string
}

/** The function a model wants called. */
export interface ToolFunction {
  readonly name: string
  /** Parsed arguments; `{}` when the wire had none or when they could not be parsed. */
  readonly arguments: JsonObject
  /** The arguments exactly as the model wrote them: replayed verbatim, so that the provider's prompt cache keeps hitting. */
  readonly rawArguments?: string
  /** Why `rawArguments` could not be read as a JSON object. Such a call is answered with an error result and never run. */
  readonly argumentsError?: string
}

/** The ids a provider gave to a call: Responses has `call_…` for the call and `fc_…` for the item. */
export interface ProviderCallIds {
  readonly callId: string
  readonly itemId?: string
}

export interface ToolCall {
  readonly type: 'tool_call'
  /** Never empty and unique within its assistant message; minted when the wire has none. */
  readonly id: string
  readonly function: ToolFunction
  readonly provider?: ProviderCallIds
  readonly signature?: string
  readonly additionalParams?: JsonObject
}

export type ToolResultContent = TextPart | { readonly type: 'json'; readonly value: Json } | ImagePart | DocumentPart

export interface ToolResult {
  readonly type: 'tool_result'
  /** The id of the call that it answers. */
  readonly id: string
  /** The tool that really ran. */
  readonly name: string
  readonly provider?: ProviderCallIds
  readonly content: readonly ToolResultContent[]
  readonly isError?: boolean
}

export type ReasoningContent =
  | { readonly type: 'text'; readonly text: string; readonly signature?: string }
  | { readonly type: 'summary'; readonly text: string }
  | { readonly type: 'encrypted'; readonly data: string }
  | { readonly type: 'redacted'; readonly data: string }

export interface Reasoning {
  readonly type: 'reasoning'
  readonly id?: string
  readonly content: readonly ReasoningContent[]
  readonly meta?: PartMeta
}

/** An output item that the runtime does not know (hosted tools, compaction): kept in place and replayed verbatim to its provider. */
export interface ProviderItem {
  readonly type: 'provider_item'
  readonly provider: string
  readonly raw: Json
}

export type UserContent = TextPart | ImagePart | AudioPart | VideoPart | DocumentPart | ToolResult
export type AssistantContent = TextPart | Reasoning | ToolCall | ImagePart | ProviderItem

export interface SystemMessage {
  readonly role: 'system'
  readonly content: string
}

export interface UserMessage {
  readonly role: 'user'
  readonly content: readonly UserContent[]
}

export interface AssistantMessage {
  readonly role: 'assistant'
  /** Parts in wire order. */
  readonly content: readonly AssistantContent[]
  readonly id?: string
  /** The provider's id of the whole response: what a conversation that the provider keeps goes on from. */
  readonly responseId?: string
  readonly origin?: ModelOrigin
}

/**
 * One message of a conversation: plain JSON, and a value. Never change a message once it has been used in a request:
 * its wire form is kept with the object, so that long histories are not serialised again at every model call.
 */
export type AnyMessage = SystemMessage | UserMessage | AssistantMessage

/** What callers may pass as a prompt: text, parts, or a whole message. */
export type MessageInput = string | readonly UserContent[] | AnyMessage
