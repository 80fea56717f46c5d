import type { AnyMessage } from '../../completion/message-types.ts'
import { InputFragments } from '../input-fragments.ts'
import { hasBlocks, messageBlocks, type Block, type ReplayOptions } from './encode-messages.ts'

/** Several messages that travel as one. */
interface Merger {
  readonly members: readonly AnyMessage[]
  /** Stands for them, as the key of their wire form. */
  readonly merged: AnyMessage
}

/**
 * Conversations as comma-separated JSON for one way of replaying. What has nothing to say is left out, neighbours of one role become one
 * message, and results of calls stand before anything else that the user says, as the wire wants it.
 */
export class ConversationEncoder {
  readonly #replay: ReplayOptions
  readonly #mergeMessages: boolean
  readonly #fragments: InputFragments
  readonly #hasBlocks = new WeakMap<AnyMessage, boolean>()
  /** By the last of the members. */
  readonly #mergers = new WeakMap<AnyMessage, Merger>()
  readonly #members = new WeakMap<AnyMessage, readonly AnyMessage[]>()

  constructor({ replay, mergeMessages }: { readonly replay: ReplayOptions; readonly mergeMessages: boolean }) {
    this.#replay = replay
    this.#mergeMessages = mergeMessages
    this.#fragments = new InputFragments((message) => messageJson(message.role, this.#blocks(message)))
  }

  /** The bytes in pieces, to be joined as they are. `cacheControl`, as JSON, goes to the last block. */
  encode(messages: readonly AnyMessage[], cacheControl?: string): readonly Buffer[] {
    const sent = this.#grouped(messages.filter((message) => this.#isSent(message)))
    const last = sent.at(-1)
    if (last === undefined) return []
    if (cacheControl === undefined) return [this.#fragments.join(sent)]
    const end = messageJson(last.role, withMarker(this.#blocks(last), cacheControl))
    return sent.length === 1 ? [Buffer.from(end)] : [this.#fragments.join(sent.slice(0, -1)), Buffer.from(`,${end}`)]
  }

  #isSent(message: AnyMessage): boolean {
    const known = this.#hasBlocks.get(message)
    if (known !== undefined) return known
    const sent = hasBlocks(message, this.#replay)
    this.#hasBlocks.set(message, sent)
    return sent
  }

  #grouped(messages: readonly AnyMessage[]): readonly AnyMessage[] {
    if (!this.#mergeMessages) return messages
    const groups: AnyMessage[] = []
    for (let start = 0, end = 1; start < messages.length; start = end, end++) {
      while (end < messages.length && messages[end]?.role === messages[start]?.role) end++
      groups.push(...(end - start === 1 ? messages.slice(start, end) : [this.#merged(messages.slice(start, end))]))
    }
    return groups
  }

  /** The same object for the same members, so that its wire form is found again. */
  #merged(members: readonly AnyMessage[]): AnyMessage {
    const [first] = members
    const last = members.at(-1)
    if (first === undefined || last === undefined) throw new RangeError('Nothing to merge')
    const known = this.#mergers.get(last)
    if (known?.members.length === members.length && known.members.every((member, index) => member === members[index])) return known.merged
    const merged: AnyMessage = { ...first }
    this.#mergers.set(last, { members, merged })
    this.#members.set(merged, members)
    return merged
  }

  #blocks(message: AnyMessage): readonly Block[] {
    const members = this.#members.get(message) ?? [message]
    const blocks = members.flatMap((member) => messageBlocks(member, this.#replay))
    if (message.role !== 'user') return blocks
    const isResult = ({ type }: Block) => type === 'tool_result'
    return [...blocks.filter(isResult), ...blocks.filter((block) => !isResult(block))]
  }
}

/** One message of `blocks`. */
export function messageJson(role: AnyMessage['role'], blocks: readonly Block[]): string {
  return `{"role":"${role}","content":[${blocks.map(({ json }) => json).join(',')}]}`
}

/** The JSON of an object with `cache_control` added to it. */
export function marked(json: string, cacheControl: string): string {
  return `${json.slice(0, -1)},"cache_control":${cacheControl}}`
}

/** Thinking can carry no marker, and never stands at the end. */
function withMarker(blocks: readonly Block[], cacheControl: string): readonly Block[] {
  return blocks.map((block, index) => (index === blocks.length - 1 ? { ...block, json: marked(block.json, cacheControl) } : block))
}
