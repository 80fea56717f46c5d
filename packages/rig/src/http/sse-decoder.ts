import { StringDecoder } from 'node:string_decoder'

/** The longest event, in UTF-16 units, that is collected before the stream counts as broken. */
const MAX_EVENT = 64 * 1024 * 1024
const SPACE = 32
/** What a piece of an unfinished event costs beside its text, in the same units: a stream of empty pieces fills the memory too. */
const PIECE_COST = 16

/**
 * Server-sent events from bytes, in one pass: each chunk is decoded once and searched once, and every event is handed over in the same
 * tick. Chunks may end anywhere, in the middle of a character too. Only `data` is of interest: every API used here says in it what it is.
 */
export class SseDecoder {
  readonly #onData: (data: string) => void
  readonly #utf8 = new StringDecoder('utf8')
  /** The unfinished line. A rope: it is flattened once, when its end has come, however many chunks it took. */
  #rest = ''
  #data: string | undefined
  /** What the unfinished line and the unfinished event hold, their pieces counted in. */
  #restSize = 0
  #dataSize = 0
  #isFirst = true
  /** The last chunk ended in a carriage return: a line feed that follows belongs to it. */
  #skipsLineFeed = false

  /** `onData` gets the data of each event; several data lines are joined by a line feed. What it throws ends the decoding. */
  constructor(onData: (data: string) => void) {
    this.#onData = onData
  }

  /** Throws `RangeError` when an event never ends. */
  push(chunk: Uint8Array): void {
    let text = this.#utf8.write(chunk instanceof Buffer ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    if (this.#isFirst && text !== '') {
      if (text.startsWith('\uFEFF')) text = text.slice(1)
      this.#isFirst = false
    }
    if (this.#skipsLineFeed || text.includes('\r')) text = this.#withLineFeeds(text)
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      if (this.#rest === '') this.#line(text, start, end)
      else this.#lineOf(this.#rest + text.slice(start, end))
      start = end + 1
    }
    if (start >= text.length) return
    this.#rest += start === 0 ? text : text.slice(start)
    this.#restSize = sized(this.#restSize, text.length - start)
  }

  /** The bytes have ended: an event that lacks only its blank line is handed over, for several servers end like that. */
  end(): void {
    const line = this.#rest + this.#utf8.end()
    if (line !== '') this.#lineOf(line)
    this.#dispatch()
  }

  #lineOf(line: string): void {
    this.#rest = ''
    this.#restSize = 0
    this.#line(line, 0, line.length)
  }

  /** Lines may end in CR, LF or both; a pair may be cut apart. */
  #withLineFeeds(text: string): string {
    const continued = this.#skipsLineFeed && text.startsWith('\n') ? text.slice(1) : text
    if (text !== '') this.#skipsLineFeed = text.endsWith('\r')
    return continued.replaceAll(/\r\n?/g, '\n')
  }

  /** The line of `text` between `start` and its line feed at `last`. Nothing but data is cut out. */
  #line(text: string, start: number, last: number): void {
    if (last === start) {
      this.#dispatch()
      return
    }
    if (!text.startsWith('data:', start)) return
    const data = text.slice(text.charCodeAt(start + 5) === SPACE ? start + 6 : start + 5, last)
    if (this.#data === undefined) this.#data = data
    else this.#data = `${this.#data}\n${data}`
    this.#dataSize = sized(this.#dataSize, data.length)
  }

  #dispatch(): void {
    const data = this.#data
    if (data === undefined) return
    this.#data = undefined
    this.#dataSize = 0
    this.#onData(data)
  }
}

/** `size` with a piece of `length` more. */
function sized(size: number, length: number): number {
  const sum = size + length + PIECE_COST
  if (sum > MAX_EVENT) throw new RangeError(`An event exceeds ${MAX_EVENT} characters`)
  return sum
}
