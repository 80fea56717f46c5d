/** The operations of the property test: what a writer means to do is written down before it is done, so that a replay can say what must come of it. */
import { createHash } from 'node:crypto'
import { z } from 'zod'

export const operation = z.discriminatedUnion('type', [
  z.object({ type: z.literal('write'), path: z.string(), text: z.string(), bytes: z.number().optional() }),
  z.object({ type: z.literal('folder'), path: z.string() }),
  z.object({ type: z.literal('move'), from: z.string(), to: z.string() }),
  z.object({ type: z.literal('delete'), path: z.string() }),
  z.object({ type: z.literal('version'), path: z.string(), version: z.number() }),
  z.object({ type: z.literal('untrash'), fileId: z.string() }),
  z.object({ type: z.literal('rewind'), toSeq: z.number() }),
])
export type Operation = z.output<typeof operation>

/** One line of a writer's log: what it is about to do under which id, or how that ended (a seq of the journal, null: no change, or a refusal's code). */
export const logLine = z.union([z.object({ id: z.string(), operation }), z.object({ id: z.string(), ended: z.union([z.number(), z.null(), z.string()]) })])

export function contentOf({ text, bytes }: { readonly text: string; readonly bytes?: number | undefined }): Buffer {
  return bytes === undefined ? Buffer.from(text) : Buffer.concat([Buffer.from(text), Buffer.alloc(bytes, text)])
}

export function hashOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
