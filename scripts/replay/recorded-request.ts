import type { ImagePart, Message, OutputSchema, ToolChoice, ToolDefinition } from '@buildscale/rig'
import { canonical, isList, isObject, stringAt, without, type Json, type JsonObject } from './json.ts'

export type WireName = 'responses' | 'chat' | 'messages'

/** What the address, the headers and the form of the fields tell about the client that sent a request: the same for all requests of a file. */
export interface ClientSettings {
  readonly wire: WireName
  /** The path of the base address, without what the wire appends. */
  readonly basePath: string
  readonly query: Readonly<Record<string, string>>
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly responses?: { readonly systemInstructions: 'instructions' | 'inputSystemMessages'; readonly itemForm: 'full' | 'plain' }
  readonly chat?: ChatForm
  readonly messages?: MessagesForm
}

/** In what a Chat Completions client differs from OpenAI's. */
export interface ChatForm {
  readonly systemRole?: 'system' | 'developer'
  readonly systemContent?: 'parts' | 'string'
  readonly assistantContent?: 'parts' | 'string'
  readonly emptyContent?: 'omit' | 'string'
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens'
  readonly streamOptions?: boolean
  readonly replayReasoning?: 'reasoning_content' | 'reasoning' | 'reasoning_details'
  readonly toolResultArrayContent?: boolean
  readonly toolResultImages?: boolean
}

/** How a client of the Messages API was set up. */
export interface MessagesForm {
  readonly promptCaching?: { readonly tools: boolean; readonly messages: boolean; readonly ttl?: '5m' | '1h'; readonly prefixTtl?: '5m' | '1h' }
  readonly citeDocuments: boolean
  readonly replayIsError: boolean
  readonly mergeMessages: boolean
  /** Whether streamed requests with tools name a choice even when the caller has none. */
  readonly streamingToolChoice: 'auto' | 'omit'
}

/** Everything of a request that its caller sets, besides the conversation. */
export interface Settings {
  readonly model: string
  readonly preamble?: string
  readonly tools: readonly ToolDefinition[]
  readonly hostedTools: readonly Json[]
  readonly toolChoice?: ToolChoice
  readonly temperature?: number
  readonly maxTokens?: number
  readonly outputSchema?: OutputSchema
  readonly params: JsonObject
  readonly client: ClientSettings
}

/** One step of a recorded conversation: an input item, a message or a content block, whatever the wire has. */
export interface Entry {
  readonly role: 'system' | 'user' | 'assistant' | 'result'
  readonly raw: JsonObject
  /** The same for the same entry in another request. */
  readonly key: string
  /** Of a result: the call that it answers. */
  readonly callId?: string
  /** The message that it stood in, where several entries make one. */
  readonly message?: number
  /** Of what an assistant is said to have said: its form shows that the caller wrote it, not a model. */
  readonly isCallersOwn?: boolean
}

/** A question to a provider that is no conversation. */
export type Lookup =
  /** Vectors of texts: https://platform.openai.com/docs/api-reference/embeddings/create. */
  | { readonly type: 'embeddings'; readonly texts: readonly string[]; readonly ndims?: number; readonly encodingFormat: 'base64' | 'float' | 'omit' }
  /** The ids of the models: https://platform.openai.com/docs/api-reference/models/list. */
  | { readonly type: 'models' }

/** A recorded request as its caller meant it. */
export interface RecordedRequest {
  readonly isStreaming: boolean
  readonly settings: Settings
  readonly entries: readonly Entry[]
  /** The server keeps the conversation, which goes on from this answer. */
  readonly previousResponseId?: string
  /** What is asked, where it is no conversation. */
  readonly lookup?: Lookup
}

/** What a reader gets to read. */
export interface RequestSource {
  readonly body: JsonObject
  readonly client: Pick<ClientSettings, 'basePath' | 'query' | 'headers'>
  /** The bodies of all requests of the file on this wire. */
  readonly siblings: readonly JsonObject[]
}

/** Reads the requests of one wire. */
export interface RequestReader {
  read(source: RequestSource): RecordedRequest
  /** Entries as messages of the runtime, entry by entry in their order. */
  messages(entries: readonly Entry[]): readonly Message[]
}

export function entry(role: Entry['role'], raw: JsonObject, extras: Pick<Entry, 'callId' | 'isCallersOwn' | 'message'> = {}): Entry {
  return { role, raw, key: `${role} ${canonical(without(raw, ['cache_control']))}`, ...extras }
}

/** A function tool, with `strict` only when it was recorded. */
export function toolDefinition(tool: JsonObject, parameters: Json | undefined): ToolDefinition {
  const { strict } = tool
  return {
    name: stringAt(tool, 'name') ?? '',
    description: stringAt(tool, 'description') ?? '',
    parameters: isObject(parameters) ? declaredSchema(parameters) : { type: 'object', properties: {} },
    ...(typeof strict === 'boolean' ? { strict } : {}),
  }
}

/** A schema with its properties in the order of `required`, which tells the order of their declaration: recordings keep keys sorted. */
export function declaredSchema(schema: JsonObject): JsonObject {
  const entries = Object.entries(schema).map(([key, value]) => [key, declaredValue(value)] as const)
  const { properties, required } = schema
  const declared = Object.fromEntries(entries)
  if (!isObject(properties) || !isList(required)) return declared
  const names = required.filter((name) => typeof name === 'string' && name in properties)
  const ordered = [...names, ...Object.keys(properties).filter((name) => !names.includes(name))]
  return { ...declared, properties: Object.fromEntries(ordered.map((name) => [name, declaredValue(properties[String(name)] ?? null)])) }
}

function declaredValue(value: Json): Json {
  if (isList(value)) return value.map(declaredValue)
  return isObject(value) ? declaredSchema(value) : value
}

/** The media type and the data of a `data:` address. */
export function dataUrl(url: string): { readonly mediaType: string; readonly data: string } | undefined {
  const [, mediaType, data] = /^data:([^;,]+);base64,(.*)$/s.exec(url) ?? []
  return mediaType === undefined || data === undefined ? undefined : { mediaType, data }
}

/** The wanted detail of an image, when one is named. */
export function detailOf({ detail }: JsonObject): Pick<ImagePart, 'detail'> {
  return detail === 'auto' || detail === 'low' || detail === 'high' ? { detail } : {}
}

/** Two neighbouring messages of one role as one. */
export function joined(first: Message, second: Message): Message {
  if (first.role === 'user' && second.role === 'user') return { ...first, content: [...first.content, ...second.content] }
  if (first.role === 'assistant' && second.role === 'assistant') return { ...first, content: [...first.content, ...second.content] }
  throw new TypeError(`A message of ${second.role} cannot be joined to one of ${first.role}`)
}
