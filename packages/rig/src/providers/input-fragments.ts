import type { AnyMessage } from '../completion/message-types.ts'

/** A beginning of a conversation and its wire form. */
interface JoinedMessages {
  readonly messages: readonly AnyMessage[]
  readonly bytes: Buffer
  /** What `bytes` is the used part of: there may be room behind it. */
  readonly room: Buffer
}

/** How far back from its end a conversation is searched for a beginning that was sent before: a turn adds two messages. */
const SEARCH_DEPTH = 8
const NOTHING: JoinedMessages = { messages: [], bytes: Buffer.alloc(0), room: Buffer.alloc(0) }

/**
 * Messages as comma-separated JSON in UTF-8. The wire form of each is made once and kept with the object; that of a whole conversation is
 * kept with its last message, so that the next request only adds what is new. Everything is held weakly: it goes when the messages go.
 */
export class InputFragments {
  readonly #encode: (message: AnyMessage) => string
  readonly #fragments = new WeakMap<AnyMessage, string>()
  readonly #joined = new WeakMap<AnyMessage, JoinedMessages>()

  /** `encode` gives the items of one message, comma-separated; nothing for a message that is not sent. */
  constructor(encode: (message: AnyMessage) => string) {
    this.#encode = encode
  }

  /** What is returned stays as it is, whatever is joined later. */
  join(messages: readonly AnyMessage[]): Buffer {
    const last = messages.at(-1)
    if (last === undefined) return NOTHING.bytes
    const known = this.#takeBeginning(messages)
    let added = ''
    for (let index = known.messages.length; index < messages.length; index++) added = withComma(added, this.#fragment(messages[index] ?? last))
    const joined = extended(known, messages, added)
    this.#joined.set(last, joined)
    return joined.bytes
  }

  /** The longest known beginning of `messages`. It is taken out: its successor takes its place and its room, so that a conversation is kept once. */
  #takeBeginning(messages: readonly AnyMessage[]): JoinedMessages {
    for (let index = messages.length - 1; index >= Math.max(0, messages.length - SEARCH_DEPTH); index--) {
      const message = messages[index]
      const known = message === undefined ? undefined : this.#joined.get(message)
      if (message === undefined || known === undefined || !isBeginning(known.messages, messages)) continue
      this.#joined.delete(message)
      return known
    }
    return NOTHING
  }

  #fragment(message: AnyMessage): string {
    const known = this.#fragments.get(message)
    if (known !== undefined) return known
    const fragment = this.#encode(message)
    this.#fragments.set(message, fragment)
    return fragment
  }
}

function withComma(left: string, right: string): string {
  return left === '' || right === '' ? left + right : `${left},${right}`
}

function isBeginning(beginning: readonly AnyMessage[], messages: readonly AnyMessage[]): boolean {
  for (let index = 0; index < beginning.length; index++) if (beginning[index] !== messages[index]) return false
  return true
}

/** Writes behind the known bytes, which stay where they are as long as there is room: then only what is new is copied. */
function extended(known: JoinedMessages, messages: readonly AnyMessage[], added: string): JoinedMessages {
  const used = known.bytes.length
  const text = used === 0 || added === '' ? added : `,${added}`
  const length = used + Buffer.byteLength(text)
  const room = length <= known.room.length ? known.room : Buffer.allocUnsafeSlow(length * 2)
  if (room !== known.room) known.bytes.copy(room)
  room.write(text, used)
  return { messages, bytes: room.subarray(0, length), room }
}
