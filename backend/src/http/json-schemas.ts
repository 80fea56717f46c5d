import { change, chat, doctorReport, errorBody, fileEntry, fileVersion, member, message, modelEntry, part, toolCallPart, toolEntry, turn, usage, user, workspace } from '@buildscale/protocol'
import { z } from 'zod'

/** A JSON object of the document. */
export type Json = Record<string, unknown>

/** The shapes that have a name of their own in the document. */
const NAMED = {
  Change: change,
  Chat: chat,
  DoctorReport: doctorReport,
  ErrorBody: errorBody,
  FileEntry: fileEntry,
  FileVersion: fileVersion,
  Member: member,
  Message: message,
  Model: modelEntry,
  Part: part,
  Tool: toolEntry,
  ToolCall: toolCallPart,
  Turn: turn,
  Usage: usage,
  User: user,
  Workspace: workspace,
} as const

const NESTED = '#/$defs/'
const COMPONENTS = '#/components/schemas/'

/** Zod schemas as the JSON Schemas of one OpenAPI document: named shapes once, under `components`, and references to them. */
export class JsonSchemas {
  readonly #names = z.registry<{ id: string }>()
  readonly #found = new Map<string, Json>()

  constructor() {
    for (const [id, schema] of Object.entries(NAMED)) this.#names.add(schema, { id })
  }

  /** `input`: what a client sends, before defaults and transforms; `output`: what it receives. */
  of(schema: z.ZodType, io: 'input' | 'output'): Json {
    const name = this.#names.get(schema)?.id
    // A named shape is only referred to once it is in another schema, so a named root gets one around it.
    const converted = this.#convert(name === undefined ? schema : z.tuple([schema]), io)
    return name === undefined ? converted : { $ref: COMPONENTS + name }
  }

  /** Every named shape that was met, by name. */
  named(): Json {
    return Object.fromEntries([...this.#found].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  #convert(schema: z.ZodType, io: 'input' | 'output'): Json {
    // Bytes and the absence of a body have no JSON Schema; their media type says what they are.
    const { $schema: _dialect, $defs: definitions, ...converted } = z.toJSONSchema(schema, { io, metadata: this.#names, unrepresentable: 'any' })
    for (const [name, definition] of Object.entries(definitions ?? {})) this.#found.set(name, withoutId(pointToComponents(definition)))
    return pointToComponents(converted)
  }
}

function withoutId({ id: _id, $id: _absolute, ...rest }: Json): Json {
  return rest
}

/** The same JSON with every reference to a nested definition turned into one to a component. */
function pointToComponents(value: object): Json {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, key === '$ref' ? component(inner) : pointInner(inner)]))
}

function pointInner(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pointInner)
  return typeof value === 'object' && value !== null ? pointToComponents(value) : value
}

function component(reference: unknown): unknown {
  return typeof reference === 'string' && reference.startsWith(NESTED) ? COMPONENTS + reference.slice(NESTED.length) : reference
}
