/**
 * The JSON in which messages are stored: the runtime's own message format, so that history goes back to the model exactly as it came. The chat
 * writes the person's messages and reads what people see of the assistant's; everything else in them passes through untouched.
 */
import { z } from 'zod'
import type { PartialPart } from './chat-delta-writer.ts'

/** Parses JSON that we stored or that the runtime serialised. Throws on text that is none: the row is damaged. */
export function parseJson(text: string): unknown {
  return JSON.parse(text)
}

/** A file that a person attached, as it was when the message was sent. */
export interface AttachedFile {
  readonly path: string
  readonly version: number
  readonly text: string
  /** The skill whose instructions the file holds, when that is why it is attached. */
  readonly skill?: string
}

export interface Question {
  readonly files: readonly AttachedFile[]
  /** What the model should know of the moment; not shown to people. */
  readonly environment: string
  readonly request: string
}

/** A person's message: files, environment, then the request, each a part of its own, so that later turns replay the same bytes. */
export function questionMessage(question: Question): string {
  return JSON.stringify({
    role: 'user',
    content: [
      ...question.files.map((file) => ({ type: 'text', text: renderFile(file), meta: { buildscale: { part: 'file', path: file.path, version: file.version } } })),
      { type: 'text', text: question.environment, meta: { buildscale: { part: 'environment' } } },
      { type: 'text', text: question.request, meta: { buildscale: { part: 'request' } } },
    ],
  })
}

function renderFile(file: AttachedFile): string {
  const place = `path=${JSON.stringify(file.path)} version="${file.version}"`
  return file.skill === undefined ? `<file ${place}>\n${file.text}\n</file>` : `<skill name="${file.skill}" ${place}>\n${file.text}\n</skill>`
}

/** What a model said before it was cut off, as a message of its own. Without ids and signatures, which only whole answers have. */
export function partialMessage(parts: readonly PartialPart[]): { readonly content: string; readonly partIds: readonly string[] } {
  const content = parts.map(({ kind, text }) => (kind === 'chunk' ? { type: 'text', text } : { type: 'reasoning', content: [{ type: 'summary', text }] }))
  return { content: JSON.stringify({ role: 'assistant', content }), partIds: parts.map((part) => part.id) }
}

const ownMeta = z.object({
  buildscale: z.discriminatedUnion('part', [
    z.object({ part: z.literal('file'), path: z.string(), version: z.number() }),
    z.object({ part: z.literal('environment') }),
    z.object({ part: z.literal('request') }),
  ]),
})

const storedPart = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })).optional(),
  meta: z.unknown().optional(),
})
const storedMessage = z.looseObject({ content: z.array(storedPart) })

/** What people see of a stored message, entry by entry. */
export type VisiblePart =
  | { readonly type: 'text' | 'reasoning'; readonly text: string }
  | { readonly type: 'file'; readonly path: string; readonly version: number; readonly text: string }
  | { readonly type: 'tool_call' }
  | { readonly type: 'hidden' }

export function visibleParts(content: string): readonly VisiblePart[] {
  return storedMessage.parse(parseJson(content)).content.map(visiblePart)
}

function visiblePart(part: z.output<typeof storedPart>): VisiblePart {
  switch (part.type) {
    case 'text':
      return visibleText(part)
    case 'reasoning':
      return { type: 'reasoning', text: (part.content ?? []).flatMap((entry) => (isReadable(entry.type) ? [entry.text ?? ''] : [])).join(REASONING_SEPARATOR) }
    case 'tool_call':
      return { type: 'tool_call' }
    default:
      // Images, provider items and whatever a later runtime adds: replayed to the model, not shown as text.
      return { type: 'hidden' }
  }
}

/** Stands between the summaries of one reasoning part, in events as in messages. */
export const REASONING_SEPARATOR = '\n\n'

function isReadable(type: string): boolean {
  return type === 'summary' || type === 'text'
}

function visibleText(part: z.output<typeof storedPart>): VisiblePart {
  const meta = ownMeta.safeParse(part.meta)
  if (!meta.success || meta.data.buildscale.part === 'request') return { type: 'text', text: part.text ?? '' }
  const own = meta.data.buildscale
  return own.part === 'file' ? { type: 'file', path: own.path, version: own.version, text: part.text ?? '' } : { type: 'hidden' }
}

const failedResult = z.object({ error: z.object({ message: z.string() }) })

/** What the model reads of an ended call: the result's JSON, or the sentence of its failure. */
export function resultForModel(call: { readonly status: string; readonly result: string | null }): string {
  const result = call.result ?? 'null'
  if (call.status === 'ok') return result
  const failed = failedResult.safeParse(parseJson(result))
  return failed.success ? failed.data.error.message : result
}
