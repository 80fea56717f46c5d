const QUOTE = 0x22
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const SPACE = 0x20

/** Tells whether a JSON text that comes in pieces may be whole by now: each character is looked at once, however many pieces there are. */
export class JsonProgress {
  #state: 'begun' | 'whole' | 'broken' = 'begun'
  #depth = 0
  #isString = false
  #isEscaped = false

  /** Whether an object, list or string has just ended, and nothing has come after it. */
  get isWhole(): boolean {
    return this.#state === 'whole'
  }

  push(piece: string): void {
    for (let place = 0; place < piece.length; place++) this.#take(piece.charCodeAt(place))
  }

  #take(code: number): void {
    if (this.#isString) this.#takeInString(code)
    else if (code > SPACE) this.#takeOutside(code)
  }

  #takeInString(code: number): void {
    if (this.#isEscaped) this.#isEscaped = false
    else if (code === BACKSLASH) this.#isEscaped = true
    else if (code === QUOTE) {
      this.#isString = false
      this.#settle()
    }
  }

  #takeOutside(code: number): void {
    if (this.#state === 'whole') this.#state = 'broken'
    if (code === QUOTE) this.#isString = true
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) this.#depth++
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      this.#depth--
      this.#settle()
    }
  }

  #settle(): void {
    if (this.#depth <= 0 && this.#state === 'begun') this.#state = 'whole'
  }
}
