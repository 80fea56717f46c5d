/** Images and documents that a tool showed to the model. The ledger holds what they are; their bytes stay in the blob store, under their hash. */
import { z } from 'zod'
import { parseJson } from './chat-stored-message.ts'

const shown = z.object({ kind: z.enum(['image', 'document']), path: z.string(), mime: z.string(), size: z.number(), hash: z.string().regex(/^[0-9a-f]{64}$/), notice: z.string().nullable() })

export type ShownMedia = z.output<typeof shown>

/** What `read` says of an image or a document; undefined for any other result. */
export function readMedia(tool: string, output: unknown): ShownMedia | undefined {
  return tool === 'read' ? shown.safeParse(output).data : undefined
}

/** A result that says what is shown is short; longer ones are not worth parsing. */
const LONGEST_RESULT = 16_384

/** What an ended call shows to the model; undefined when it shows nothing, or was told that it does not. */
export function mediaOfCall(call: { readonly name: string; readonly status: string; readonly result: string | null }): ShownMedia | undefined {
  if (call.name !== 'read' || call.status !== 'ok' || call.result === null || call.result.length > LONGEST_RESULT) return undefined
  const media = readMedia(call.name, parseJson(call.result))
  return media?.notice === null ? media : undefined
}
