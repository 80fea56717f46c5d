import type { AssistantContent, ImagePart, MediaSource, Message, OutputSchema, ToolChoice, ToolResult, UserContent } from '@buildscale/rig'
import { argumentsOf } from './independent-reading.ts'
import { isList, isObject, numberAt, objectAt, objectsAt, stringAt, without, type Json, type JsonObject } from './json.ts'
import {
  declaredSchema, entry, joined, toolDefinition, type Entry, type MessagesForm, type RecordedRequest, type RequestReader, type RequestSource, type Settings,
} from './recorded-request.ts'

/** Fields that become settings with a name of their own, or that the runtime has to add by itself. */
const OWN_FIELDS = ['model', 'messages', 'system', 'stream', 'tools', 'tool_choice', 'temperature', 'max_tokens', 'output_config']
/** Limits that the runtime has to choose by itself when the caller names none. */
const DEFAULT_LIMITS: readonly (readonly [RegExp, number])[] = [[/(?:sonnet-4[.-]6|haiku-4[.-]5)/, 64_000], [/opus-4[.-][678]/, 128_000]]

/** Requests of the Anthropic Messages API: https://docs.anthropic.com/en/api/messages. */
export const messagesReader: RequestReader = { read, messages }

function read({ body, client, siblings }: RequestSource): RecordedRequest {
  const [preamble, ...system] = blocksOf(body['system'])
  const tools = objectsAt(body, 'tools')
  const isMarkedByCaller = hasMarksOfCaller(body)
  const isOwn = (tool: JsonObject) => 'input_schema' in tool && !(isMarkedByCaller && 'cache_control' in tool)
  const model = stringAt(body, 'model') ?? ''
  const maxTokens = numberAt(body, 'max_tokens')
  const isDefault = DEFAULT_LIMITS.some(([pattern, limit]) => pattern.test(model) && limit === maxTokens)
  const temperature = numberAt(body, 'temperature')
  const toolChoice = toolChoiceOf(body)
  const outputSchema = outputSchemaOf(body)
  const settings: Settings = {
    model,
    ...(preamble === undefined ? {} : { preamble: stringAt(preamble, 'text') ?? '' }),
    tools: tools.filter(isOwn).map((tool) => toolDefinition(tool, tool['input_schema'])),
    hostedTools: tools.filter((tool) => !isOwn(tool)),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined || isDefault ? {} : { maxTokens }),
    ...(outputSchema === undefined ? {} : { outputSchema }),
    params: { ...without(body, OWN_FIELDS), ...parallelOf(body), ...outputConfigOf(body, outputSchema) },
    client: { ...client, wire: 'messages', messages: formOf(siblings) },
  }
  const conversation = objectsAt(body, 'messages').flatMap(entriesOf)
  return { isStreaming: body['stream'] === true, settings, entries: [...system.map((block) => entry('system', block)), ...conversation] }
}

function blocksOf(content: Json | undefined): readonly JsonObject[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return isList(content) ? content.filter(isObject) : []
}

function entriesOf({ role, content }: JsonObject, message: number): readonly Entry[] {
  return blocksOf(content).map((block) => {
    if (role === 'assistant') return entry('assistant', block, { message })
    if (role === 'system') return entry('system', block, { message })
    return block['type'] === 'tool_result' ? entry('result', block, { callId: stringAt(block, 'tool_use_id') ?? '', message }) : entry('user', block, { message })
  })
}

/** The runtime says `auto` by itself when it streams. */
function toolChoiceOf(body: JsonObject): ToolChoice | undefined {
  const choice = objectAt(body, 'tool_choice')
  switch (choice['type']) {
    case 'auto': return body['stream'] === true ? undefined : 'auto'
    case 'none': return 'none'
    case 'any': return 'required'
    case 'tool': return { type: 'specific', functionNames: [stringAt(choice, 'name') ?? ''] }
    default: return undefined
  }
}

function parallelOf(body: JsonObject): JsonObject {
  const { disable_parallel_tool_use: isDisabled } = objectAt(body, 'tool_choice')
  return isDisabled === undefined ? {} : { disable_parallel_tool_use: isDisabled }
}

function outputSchemaOf(body: JsonObject): OutputSchema | undefined {
  const { type, schema, ...others } = objectAt(objectAt(body, 'output_config'), 'format')
  return type === 'json_schema' && isObject(schema) && Object.keys(others).length === 0 ? { schema: declaredSchema(schema) } : undefined
}

function outputConfigOf(body: JsonObject, schema: OutputSchema | undefined): JsonObject {
  if (!('output_config' in body)) return {}
  const config = schema === undefined ? objectAt(body, 'output_config') : without(objectAt(body, 'output_config'), ['format'])
  return Object.keys(config).length === 0 ? {} : { output_config: config }
}

/** What the requests of a file show of the client that sent them. */
function formOf(bodies: readonly JsonObject[]): MessagesForm {
  const all = bodies.flatMap((body) => objectsAt(body, 'messages'))
  const said = all.flatMap(({ content }) => blocksOf(content))
  const prefix = bodies.flatMap((body) => [...blocksOf(body['system']), ...objectsAt(body, 'tools')]).filter((block) => 'cache_control' in block)
  const marked = said.filter((block) => 'cache_control' in block)
  const isRepeated = bodies.some((body) => objectsAt(body, 'messages').some((message, index, list) => index > 0 && list[index - 1]?.['role'] === message['role']))
  const streamed = bodies.filter((body) => body['stream'] === true && 'tools' in body)
  const isToolMarked = (body: JsonObject) => objectsAt(body, 'tools').some((tool) => 'input_schema' in tool && 'cache_control' in tool)
  const tools = bodies.some((body) => isToolMarked(body) && !hasMarksOfCaller(body))
  return {
    ...(prefix.length + marked.length === 0 ? {} : { promptCaching: { tools, messages: marked.length > 0, ...ttlOf('ttl', marked), ...ttlOf('prefixTtl', prefix) } }),
    citeDocuments: said.some((block) => block['type'] === 'document' && objectAt(block, 'citations')['enabled'] === true),
    replayIsError: said.some((block) => block['type'] === 'tool_result' && block['is_error'] === true),
    mergeMessages: !isRepeated,
    streamingToolChoice: streamed.length > 0 && streamed.every((body) => !('tool_choice' in body)) ? 'omit' : 'auto',
  }
}

/** The client marks one tool at most, the last one: with others all of them are the caller's, who has put these tools together. */
function hasMarksOfCaller(body: JsonObject): boolean {
  return objectsAt(body, 'tools').slice(0, -1).some((tool) => 'cache_control' in tool)
}

function ttlOf<Name extends string>(name: Name, [first]: readonly JsonObject[]): { readonly [key in Name]?: '5m' | '1h' } {
  const ttl = first === undefined ? undefined : objectAt(first, 'cache_control')['ttl']
  const found: { [key in Name]?: '5m' | '1h' } = {}
  if (ttl === '5m' || ttl === '1h') found[name] = ttl
  return found
}

function messages(entries: readonly Entry[]): readonly Message[] {
  const found: { readonly place: string; message: Message }[] = []
  for (const next of entries) {
    const message = messageOf(next)
    const place = `${next.role} ${next.message ?? ''}`
    const last = found.at(-1)
    if (last?.place === place && message.role !== 'system') last.message = joined(last.message, message)
    else found.push({ place, message })
  }
  return found.map(({ message }) => message)
}

function messageOf({ role, raw }: Entry): Message {
  switch (role) {
    case 'system': return { role: 'system', content: stringAt(raw, 'text') ?? '' }
    case 'user': return { role: 'user', content: [userPart(raw)] }
    case 'result': return { role: 'user', content: [resultPart(raw)] }
    case 'assistant': return { role: 'assistant', content: [assistantPart(raw)] }
  }
}

function userPart(block: JsonObject): UserContent {
  switch (block['type']) {
    case 'image': return imagePart(block)
    case 'document': {
      const filename = stringAt(block, 'title')
      return { type: 'document', ...sourceOf(objectAt(block, 'source')), ...(filename === undefined ? {} : { filename }) }
    }
    default: return { type: 'text', text: stringAt(block, 'text') ?? '' }
  }
}

function imagePart(block: JsonObject): ImagePart {
  return { type: 'image', ...sourceOf(objectAt(block, 'source')) }
}

function sourceOf(source: JsonObject): { readonly source: MediaSource; readonly mediaType?: string } {
  switch (source['type']) {
    case 'url': return { source: { kind: 'url', url: stringAt(source, 'url') ?? '' } }
    case 'file': return { source: { kind: 'fileId', id: stringAt(source, 'file_id') ?? '' } }
    case 'text': return { source: { kind: 'text', text: stringAt(source, 'data') ?? '' } }
    default: return { source: { kind: 'base64', data: stringAt(source, 'data') ?? '' }, mediaType: stringAt(source, 'media_type') ?? '' }
  }
}

function resultPart(block: JsonObject): ToolResult {
  const callId = stringAt(block, 'tool_use_id') ?? ''
  const content = blocksOf(block['content']).map((part) => (part['type'] === 'image' ? imagePart(part) : { type: 'text', text: stringAt(part, 'text') ?? '' } as const))
  return { type: 'tool_result', id: callId, name: '', provider: { callId }, content, ...(block['is_error'] === true ? { isError: true } : {}) }
}

function assistantPart(block: JsonObject): AssistantContent {
  switch (block['type']) {
    case 'text': {
      const { citations } = block
      return { type: 'text', text: stringAt(block, 'text') ?? '', ...(isList(citations) ? { meta: { anthropic: { citations } } } : {}) }
    }
    case 'thinking': {
      const signature = stringAt(block, 'signature')
      return { type: 'reasoning', content: [{ type: 'text', text: stringAt(block, 'thinking') ?? '', ...(signature === undefined ? {} : { signature }) }] }
    }
    case 'redacted_thinking': return { type: 'reasoning', content: [{ type: 'redacted', data: stringAt(block, 'data') ?? '' }] }
    case 'tool_use': {
      const callId = stringAt(block, 'id') ?? ''
      const caller = isObject(block['caller']) ? { additionalParams: { caller: block['caller'] } } : {}
      const called = { name: stringAt(block, 'name') ?? '', arguments: argumentsOf(block['input']) ?? {} }
      return { type: 'tool_call', id: callId, function: called, provider: { callId }, ...caller }
    }
    default: return { type: 'provider_item', provider: 'anthropic', raw: block }
  }
}
