/** What the server received, oldest first. Bounded, because a server in process lives as long as its program. */
export interface ReceivedRequest {
  readonly number: number
  readonly method: string
  readonly path: string
  /** Keys are shown as `[redacted]`. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

interface Entry {
  readonly number: number
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

const MAXIMUM_ENTRIES = 1000
const MAXIMUM_CHARS = 32 * 1024 * 1024

export class RequestLog {
  #entries: Entry[] = []
  #count = 0
  #chars = 0

  add(entry: Omit<Entry, 'number'>): void {
    this.#count += 1
    this.#chars += entry.text.length
    this.#entries.push({ ...entry, number: this.#count })
    while (this.#entries.length > 1 && (this.#entries.length > MAXIMUM_ENTRIES || this.#chars > MAXIMUM_CHARS)) this.#chars -= this.#entries.shift()?.text.length ?? 0
  }

  clear(): void {
    this.#entries = []
    this.#count = 0
    this.#chars = 0
  }

  /** Bodies are parsed here, not when they come: most are never looked at. A body that is not JSON stays text. */
  list(): readonly ReceivedRequest[] {
    return this.#entries.map(({ text, ...entry }) => ({ ...entry, body: readBody(text) }))
  }
}

function readBody(text: string): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    return text // what was not JSON is shown as it came
  }
}
