import type { AnyMessage } from '../../completion/message-types.ts'

/** A beginning of a conversation and its wire form. */
interface JoinedMessages {
  readonly messages: readonly AnyMessage[]
  readonly text: string
}

/** How far back from its end a conversation is searched for a beginning that was sent before: a turn adds two messages. */
const SEARCH_DEPTH = 8

/**
 * Messages as comma-separated JSON. The wire form of each is made once and kept with the object; that of a whole conversation is kept with
 * its last message, so that the next request only adds what is new. Everything is held weakly: it goes when the messages go.
 */
export class InputFragments {
  readonly #encode: (message: AnyMessage) => string
  readonly #fragments = new WeakMap<AnyMessage, string>()
  readonly #joined = new WeakMap<AnyMessage, JoinedMessages>()

  /** `encode` gives the items of one message, comma-separated; nothing for a message that is not sent. */
  constructor(encode: (message: AnyMessage) => string) {
    this.#encode = encode
  }

  join(messages: readonly AnyMessage[]): string {
    const last = messages.at(-1)
    if (last === undefined) return ''
    const known = this.#takeBeginning(messages)
    const added = messages.slice(known.messages.length).map((message) => this.#fragment(message)).filter((fragment) => fragment !== '').join(',')
    const text = known.text === '' || added === '' ? known.text + added : `${known.text},${added}`
    this.#joined.set(last, { messages, text })
    return text
  }

  /** The longest known beginning of `messages`. It is taken out: its successor takes its place, so that a conversation is kept once. */
  #takeBeginning(messages: readonly AnyMessage[]): JoinedMessages {
    for (let index = messages.length - 1; index >= Math.max(0, messages.length - SEARCH_DEPTH); index--) {
      const message = messages[index]
      const known = message === undefined ? undefined : this.#joined.get(message)
      if (message === undefined || known === undefined || !isBeginning(known.messages, messages)) continue
      this.#joined.delete(message)
      return known
    }
    return { messages: [], text: '' }
  }

  #fragment(message: AnyMessage): string {
    const known = this.#fragments.get(message)
    if (known !== undefined) return known
    const fragment = this.#encode(message)
    this.#fragments.set(message, fragment)
    return fragment
  }
}

function isBeginning(beginning: readonly AnyMessage[], messages: readonly AnyMessage[]): boolean {
  for (let index = 0; index < beginning.length; index++) if (beginning[index] !== messages[index]) return false
  return true
}
