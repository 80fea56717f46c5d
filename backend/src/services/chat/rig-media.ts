/** Shows images and documents to the model: with the result of the call that read them, live and whenever that call is replayed. */
import type { ToolResultContent } from '@buildscale/rig'
import { mediaOfCall, readMedia, type ShownMedia } from './chat-media.ts'
import type { CallOutcome, StoredTurn } from './chat-turn.ts'

/** What a model can be shown. */
export interface RigSight {
  readonly image: boolean
  readonly document: boolean
}

/** Parts that go behind the text of a result, by the id of the call in the ledger. */
export type RigShown = ReadonlyMap<string, ToolResultContent>

export interface RigMediaDeps {
  readonly sight: RigSight
  /** From the blob store of the turn's workspace; undefined when it does not have these bytes any more. */
  bytes(hash: string): Promise<Buffer | undefined>
}

/** Both together stay below what providers take in one request, as base64: 32 MB. Earlier turns show the newest, a turn what it read first. */
const HISTORY_BYTES = 8 * 1024 * 1024
const TURN_BYTES = 12 * 1024 * 1024

/** One per run of a turn. */
export class RigMedia {
  readonly #deps: RigMediaDeps
  #left = TURN_BYTES

  constructor(deps: RigMediaDeps) {
    this.#deps = deps
  }

  /** What committed calls show: the newest of earlier turns, and all that this turn was allowed to. */
  async replay(history: readonly StoredTurn[], current: StoredTurn): Promise<RigShown> {
    const shown = new Map<string, ToolResultContent>()
    const ofTurn = callsWithMedia(current)
    this.#left -= ofTurn.reduce((sum, { media }) => sum + media.size, 0)
    for (const { id, media } of ofTurn) shown.set(id, await this.part(media))
    for (const [id, entry] of replayed(history)) shown.set(id, typeof entry === 'string' ? words(entry) : await this.part(entry))
    return shown
  }

  /** The outcome as it is stored: when this turn has shown enough, it says so instead of being shown. */
  admit(tool: string, outcome: CallOutcome): CallOutcome {
    const media = outcome.ok ? readMedia(tool, outcome.output) : undefined
    if (!outcome.ok || media === undefined) return outcome
    if (media.size <= this.#left) {
      this.#left -= media.size
      return outcome
    }
    const notice = `Not shown: with it this turn would show more than ${TURN_BYTES / 1024 / 1024} MiB of images and documents. Answer with what you have seen; more can be read after the next message.`
    return { ok: true, output: { ...media, notice } }
  }

  /** What stands behind the result: the bytes, or why there are none. */
  async part(media: ShownMedia): Promise<ToolResultContent> {
    const { kind, path, mime, hash } = media
    if (!this.#deps.sight[kind]) return words(`${label(media)} is not shown: this model takes no ${kind}s. Say so, or work with what file_info tells.`)
    const bytes = await this.#deps.bytes(hash)
    if (bytes === undefined) return words(`${label(media)} is not shown: its content has been removed for good since.`)
    const source = { kind: 'base64' as const, data: bytes.toString('base64') }
    return kind === 'image' ? { type: 'image', source, mediaType: mime } : { type: 'document', source, mediaType: mime, filename: documentName(path) }
  }
}

/** What calls would show, without the bytes: for people who look at a context. */
export function rigMediaLabels(turns: readonly StoredTurn[]): RigShown {
  return new Map(replayed(turns).map(([id, entry]) => [id, words(typeof entry === 'string' ? entry : `${label(entry)} is shown here, ${entry.size} bytes with the SHA-256 ${entry.hash}.`)]))
}

/** The calls of earlier turns, newest first: what they show, or in words why not again. */
function replayed(history: readonly StoredTurn[]): readonly (readonly [id: string, entry: ShownMedia | string])[] {
  let left = HISTORY_BYTES
  return history.toReversed().flatMap((turn) =>
    callsWithMedia(turn).reverse().map(({ id, media }) => {
      // A provider that refuses a picture must not refuse every later turn because of it.
      if (turn.hasFailed === true) return [id, `${label(media)} is not shown again, because the turn in which it was shown failed. Read it again if it is needed.`] as const
      left -= media.size
      return [id, left >= 0 ? media : `${label(media)} is not shown again, to save room. Read it again if it is needed.`] as const
    }),
  )
}

function callsWithMedia(turn: StoredTurn): { readonly id: string; readonly media: ShownMedia }[] {
  return turn.steps.flatMap((step) => step.calls).flatMap((call) => {
    const media = mediaOfCall(call)
    return media === undefined ? [] : [{ id: call.id, media }]
  })
}

function label({ path, mime }: ShownMedia): string {
  return `${JSON.stringify(path)} (${mime})`
}

function words(text: string): ToolResultContent {
  return { type: 'text', text }
}

/** Some servers go by the ending of the name. */
function documentName(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return name.toLowerCase().endsWith('.pdf') ? name : `${name}.pdf`
}
