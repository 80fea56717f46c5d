import type { StreamPart } from './shell-protocol.ts'

const HEAD_BYTES = 64 * 1024
const TAIL_BYTES = 36 * 1024

/** Keeps the beginning and the end of a stream, in constant memory however much is written. */
export class StreamCapture {
  #head: readonly Uint8Array[] = []
  #headBytes = 0
  #tail: Uint8Array[] = []
  #tailBytes = 0
  #bytes = 0

  add(chunk: Uint8Array): void {
    this.#bytes += chunk.length
    const forHead = chunk.subarray(0, HEAD_BYTES - this.#headBytes)
    if (forHead.length > 0) {
      this.#head = [...this.#head, forHead]
      this.#headBytes += forHead.length
      if (this.#head.length > 64) this.#head = [Buffer.concat(this.#head)]
    }
    const rest = chunk.subarray(forHead.length)
    if (rest.length > 0) this.#addToTail(rest.slice(-TAIL_BYTES))
  }

  part(): StreamPart {
    this.#tail = [Buffer.concat(this.#tail).subarray(-TAIL_BYTES)]
    this.#tailBytes = this.#tail[0]?.length ?? 0
    return { head: Buffer.concat(this.#head), tail: Buffer.concat(this.#tail), bytes: this.#bytes }
  }

  /** The last bytes. */
  get end(): Uint8Array {
    const { head, tail } = this.part()
    return tail.length > 0 ? tail : head
  }

  #addToTail(chunk: Uint8Array): void {
    this.#tail.push(chunk)
    this.#tailBytes += chunk.length
    if (this.#tailBytes > 4 * TAIL_BYTES || this.#tail.length > 256) this.part()
  }
}

/** The text of a stream, and how many bytes in its middle were left out. What is not UTF-8, and control characters that no reader needs, read as U+FFFD. */
export function streamText({ head, tail, bytes }: StreamPart): { readonly text: string; readonly leftOut: number } {
  const leftOut = bytes - head.length - tail.length
  if (leftOut === 0) return { text: readable(Buffer.concat([head, tail])), leftOut }
  return { text: `${withoutCutEnd(readable(head))}\n… ${leftOut.toLocaleString('en')} bytes left out …\n${withoutCutStart(readable(tail))}`, leftOut }
}

function readable(bytes: Uint8Array): string {
  // Tabs and line breaks stay. In JSON any other would take six characters.
  return Buffer.from(bytes).toString('utf8').replaceAll(/(?![\t\n\r])\p{Cc}/gu, '\uFFFD')
}

/** A letter that the cut went through is left out rather than shown as rubbish. */
function withoutCutEnd(text: string): string {
  return text.replace(/\uFFFD+$/, '')
}

function withoutCutStart(text: string): string {
  return text.replace(/^\uFFFD+/, '')
}
