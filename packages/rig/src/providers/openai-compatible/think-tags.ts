const OPENING = '<think>'
const CLOSING = '</think>'

/** Where the halves of a text go. */
export interface ThinkTagOutput {
  thought(text: string): void
  said(text: string): void
}

/** Tells a leading `<think>…</think>` from the text after it, whatever pieces it comes in. */
export class ThinkTags {
  readonly #output: ThinkTagOutput
  #state: 'start' | 'thinking' | 'after' | 'saying' = 'start'
  /** What cannot be told yet: it may be half a tag. */
  #held = ''
  /** Nothing but blanks has come: they are not looked at again. */
  #isBlank = true

  constructor(output: ThinkTagOutput) {
    this.#output = output
  }

  push(text: string): void {
    if (this.#state === 'saying') {
      this.#output.said(text)
      return
    }
    this.#held += text
    if (this.#isBlank && text.trimStart() === '') return
    this.#isBlank = false
    if (this.#state === 'start') this.#start()
    if (this.#state === 'thinking') this.#thinking()
    if (this.#state === 'after') this.#after()
  }

  /** The text has ended: what was held back is what it is. */
  end(): void {
    const held = this.#held
    this.#held = ''
    if (held === '' || this.#state === 'after') return
    if (this.#state === 'thinking') this.#output.thought(held)
    else this.#output.said(held)
  }

  #start(): void {
    const text = this.#held.trimStart()
    if (text.startsWith(OPENING)) {
      this.#state = 'thinking'
      this.#held = text.slice(OPENING.length)
    } else if (!OPENING.startsWith(text)) {
      this.#say(this.#held)
    }
  }

  #thinking(): void {
    const end = this.#held.indexOf(CLOSING)
    const known = end === -1 ? this.#held.length - halfTag(this.#held) : end
    if (known > 0) this.#output.thought(this.#held.slice(0, known))
    this.#held = this.#held.slice(end === -1 ? known : end + CLOSING.length)
    if (end !== -1) this.#state = 'after'
  }

  /** The empty lines between the thought and the answer belong to neither. */
  #after(): void {
    const text = this.#held.trimStart()
    this.#held = ''
    if (text !== '') this.#say(text)
  }

  #say(text: string): void {
    this.#state = 'saying'
    this.#held = ''
    this.#output.said(text)
  }
}

/** How many characters at the end of `text` may be the beginning of the closing tag. */
function halfTag(text: string): number {
  for (let length = Math.min(text.length, CLOSING.length - 1); length > 0; length--) if (text.endsWith(CLOSING.slice(0, length))) return length
  return 0
}
