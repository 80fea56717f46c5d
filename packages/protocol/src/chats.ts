import { z } from 'zod'
import { agentName, usedAgent, usedSkill } from './agents.ts'
import { endpoint } from './endpoint.ts'
import { empty, id, nothing, page, paging, path, queryInteger, time, usage } from './shared.ts'
import { workspaceParams } from './workspaces.ts'

export const CHAT_STATUSES = ['idle', 'queued', 'running', 'waiting'] as const
export const TURN_STATUSES = ['queued', 'running', 'waiting', 'done', 'stopped', 'error'] as const
export type TurnStatus = (typeof TURN_STATUSES)[number]
export const TOOL_CALL_STATUSES = ['pending', 'running', 'ok', 'failed', 'cancelled', 'in_doubt'] as const
export type ToolCallStatus = (typeof TOOL_CALL_STATUSES)[number]
export const TOOL_EFFECTS = ['read', 'write', 'external'] as const

export const chat = z.object({
  id,
  title: z.string(),
  agent: z.string(),
  model: z.string(),
  mode: z.enum(['build', 'plan']),
  status: z.enum(CHAT_STATUSES),
  last_seq: z.number().int(),
  created_at: time,
  updated_at: time,
})
export type Chat = z.output<typeof chat>

export const toolCallPart = z.object({
  id,
  type: z.literal('tool_call'),
  call_id: id,
  tool: z.string(),
  args: z.unknown(),
  effect: z.enum(TOOL_EFFECTS),
  status: z.enum(TOOL_CALL_STATUSES),
  output: z.unknown(),
  duration_ms: z.number().nullable(),
})
export type ToolCallPart = z.output<typeof toolCallPart>

export const part = z.discriminatedUnion('type', [
  z.object({ id, type: z.literal('text'), text: z.string() }),
  z.object({ id, type: z.literal('reasoning'), text: z.string() }),
  z.object({ id, type: z.literal('file'), path: z.string(), version: z.number().int() }),
  toolCallPart,
])
export type Part = z.output<typeof part>

export const message = z.object({
  id,
  turn_id: id,
  role: z.enum(['user', 'assistant']),
  status: z.enum(['complete', 'stopped', 'error']),
  parts: z.array(part),
  model: z.string().nullable(),
  usage: usage.nullable(),
  created_at: time,
})
export type Message = z.output<typeof message>

export const turnError = z.object({ code: z.string(), message: z.string(), retryable: z.boolean() })

export const turn = z.object({
  id,
  chat_id: id,
  message_id: id,
  /** What the turn ran with, as it was when the turn started. */
  agent: usedAgent,
  /** What it was offered; `read_version`: the version whose text the model got, null when it did not look. */
  skills: z.array(usedSkill.extend({ read_version: z.number().int().nullable() })),
  status: z.enum(TURN_STATUSES),
  attempt: z.number().int(),
  steps: z.array(z.object({ number: z.number().int(), model: z.string(), usage: usage.nullable(), started_at: time, ended_at: time })),
  tool_calls: z.array(toolCallPart),
  usage: usage.nullable(),
  cost: z.number().nullable(),
  error: turnError.nullable(),
  created_at: time,
  started_at: time.nullable(),
  ended_at: time.nullable(),
})
export type Turn = z.output<typeof turn>

/** The text of one message of a person: 1 to 1,000,000 characters. */
const content = z.string().min(1).max(1_000_000)
const files = z.array(path).max(100)
const model = z.string().min(1).max(200)

/** Values that this version knows; others answer 400 and name these. */
export const CHAT_MODES = ['build'] as const
export const DELIVERIES = ['queue'] as const

const base = { access: 'workspace', params: workspaceParams, query: nothing, body: nothing, bodyKind: 'none', responseKind: 'json', status: 200 } as const
const chatParams = z.strictObject({ w: id, c: id })

export const createChat = endpoint({
  ...base,
  name: 'createChat',
  summary: 'Start a chat; with a goal, its first turn starts.',
  method: 'POST',
  path: '/workspaces/:w/chats',
  body: z.strictObject({
    goal: content.optional(),
    agent: agentName.optional(),
    model: model.optional(),
    mode: z.enum(CHAT_MODES).optional(),
    files: files.optional(),
    title: z.string().trim().min(1).max(200).optional(),
  }),
  bodyKind: 'json',
  response: z.object({ chat, message_id: id.optional(), turn_id: id.optional(), after: z.number().int() }),
  status: 201,
})

export const listChats = endpoint({
  ...base,
  name: 'listChats',
  summary: 'The chats of a workspace, newest activity first.',
  method: 'GET',
  path: '/workspaces/:w/chats',
  query: z.strictObject(paging),
  response: page(chat),
})

export const getChat = endpoint({ ...base, name: 'getChat', summary: 'One chat.', method: 'GET', path: '/workspaces/:w/chats/:c', params: chatParams, response: chat })

export const patchChat = endpoint({
  ...base,
  name: 'patchChat',
  summary: 'Change title, agent, model or mode; they count from the next turn.',
  method: 'PATCH',
  path: '/workspaces/:w/chats/:c',
  params: chatParams,
  body: z.strictObject({ title: z.string().trim().min(1).max(200).optional(), agent: agentName.optional(), model: model.optional(), mode: z.enum(CHAT_MODES).optional() }),
  bodyKind: 'json',
  response: chat,
})

export const deleteChat = endpoint({
  ...base,
  name: 'deleteChat',
  summary: 'Delete a chat; a running turn is stopped.',
  method: 'DELETE',
  path: '/workspaces/:w/chats/:c',
  params: chatParams,
  response: empty,
  responseKind: 'empty',
  status: 204,
})

export const listMessages = endpoint({
  ...base,
  name: 'listMessages',
  summary: 'The newest page of messages, oldest first; `events?after=as_of_seq` continues without gap or repeat.',
  method: 'GET',
  path: '/workspaces/:w/chats/:c/messages',
  params: chatParams,
  query: z.strictObject({ before: z.string().max(500).optional(), limit: paging.limit }),
  response: z.object({ items: z.array(message), next_cursor: z.string().nullable(), as_of_seq: z.number().int() }),
})

export const postMessage = endpoint({
  ...base,
  name: 'postMessage',
  summary: 'Send a message; its turn is queued.',
  method: 'POST',
  path: '/workspaces/:w/chats/:c/messages',
  params: chatParams,
  body: z.strictObject({ content, files: files.optional(), delivery: z.enum(DELIVERIES).optional() }),
  bodyKind: 'json',
  response: z.object({ message_id: id, turn_id: id, position: z.number().int(), after: z.number().int() }),
  status: 202,
})

export const chatEvents = endpoint({
  ...base,
  name: 'chatEvents',
  summary: 'The events of a chat as server-sent events: replay after a cursor, then live.',
  method: 'GET',
  path: '/workspaces/:w/chats/:c/events',
  params: chatParams,
  query: z.strictObject({ after: queryInteger.optional(), until: z.enum(['idle']).optional() }),
  response: empty,
  responseKind: 'events',
})

export const stopChat = endpoint({
  ...base,
  name: 'stopChat',
  summary: 'Stop the running turn, or the next queued one; with `all` every one.',
  method: 'POST',
  path: '/workspaces/:w/chats/:c/stop',
  params: chatParams,
  body: z.strictObject({ all: z.boolean().optional() }),
  bodyKind: 'json',
  response: z.object({ turn_id: id.nullable(), status: z.enum(['stopped', 'idle']) }),
})

export const contextPart = z.object({ key: z.string(), tokens: z.number().int(), essential: z.boolean(), priority: z.number().int(), dropped: z.boolean() })

export const getContext = endpoint({
  ...base,
  name: 'getContext',
  summary: 'What the model would receive now.',
  method: 'GET',
  path: '/workspaces/:w/chats/:c/context',
  params: chatParams,
  response: z.object({
    agent: usedAgent,
    skills: z.array(usedSkill),
    model: z.string(),
    preamble: z.string(),
    messages: z.array(z.unknown()),
    files: z.array(z.object({ path: z.string(), tokens: z.number().int() })),
    tools: z.array(z.object({ name: z.string(), description: z.string(), parameters: z.unknown(), tokens: z.number().int() })),
    parts: z.array(contextPart),
    tokens: z.number().int(),
    limit: z.number().int(),
  }),
})

export const getTurn = endpoint({
  ...base,
  name: 'getTurn',
  summary: 'One turn with its steps and tool calls.',
  method: 'GET',
  path: '/workspaces/:w/turns/:t',
  params: z.strictObject({ w: id, t: id }),
  response: turn,
})
