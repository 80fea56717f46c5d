import type { SseEvent } from '@buildscale/protocol'

interface Delta {
  readonly id: number
  readonly partId: string
  readonly text: string
}

/** The text of one turn's answer as its events tell it: what a restarted step had said is void. */
export class TurnText {
  #deltas: Delta[] = []

  add(event: SseEvent): void {
    if (event.type === 'chunk') this.#deltas.push({ id: event.id, partId: event.data.part_id, text: event.data.text })
    if (event.type === 'step_restarted') this.#deltas = this.#deltas.filter(({ id }) => id < event.data.void_from_seq)
  }

  /** The parts of the text, an empty line between them. */
  toString(): string {
    const parts = new Map<string, string[]>()
    for (const { partId, text } of this.#deltas) {
      const part = parts.get(partId)
      if (part === undefined) parts.set(partId, [text])
      else part.push(text)
    }
    return [...parts.values()].map((texts) => texts.join('')).join('\n\n')
  }
}
