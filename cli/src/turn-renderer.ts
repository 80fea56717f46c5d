import type { SseEvent } from '@buildscale/protocol'
import { printable, type Terminal } from './terminal.ts'

type Line = 'start' | 'text' | 'thought'

/**
 * Prints a turn for people: the answer on stdout as it streams; thoughts, tool calls and what became of them on stderr, a line each.
 * A terminal shows both streams in one place, so each change between them starts a new line.
 */
export class TurnRenderer {
  readonly #terminal: Terminal
  readonly #calls = new Map<string, string>()
  #line: Line = 'start'
  #endsWithNewline = true
  #partId = ''

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  render(event: SseEvent): void {
    switch (event.type) {
      case 'chunk':
        return this.#text(event.data.part_id, event.data.text)
      case 'thought':
        return this.#thought(event.data.text)
      case 'call':
        return this.#call(event.data)
      case 'observation':
        return this.#observation(event.data)
      case 'step_restarted':
        return this.note(`the step starts again (${event.data.reason}); its text above is void`)
      case 'stopped':
        return this.note('stopped')
      case 'error':
        return this.#problem(`${event.data.message} (${event.data.code})`)
      case 'done':
        return this.#done(event.data)
      case 'message':
      case 'turn_started':
      case 'file_updated':
      case 'usage':
      case 'session_init':
      case 'call_delta':
      case 'call_progress':
        return
    }
  }

  /** A line about the turn, on stderr. */
  note(text: string): void {
    this.finishLine()
    this.#terminal.err(`${this.#terminal.style('dim', printable(text))}\n`)
  }

  /** Ends the line that text or thoughts were being added to. */
  finishLine(): void {
    if (this.#line === 'text' && !this.#endsWithNewline) this.#terminal.out('\n')
    if (this.#line === 'thought' && !this.#endsWithNewline) this.#terminal.err('\n')
    this.#line = 'start'
    this.#endsWithNewline = true
  }

  #text(partId: string, text: string): void {
    if (this.#line !== 'text' || this.#partId !== partId) this.finishLine()
    this.#line = 'text'
    this.#partId = partId
    this.#endsWithNewline = text.endsWith('\n')
    this.#terminal.out(text)
  }

  #thought(text: string): void {
    if (this.#line !== 'thought') this.finishLine()
    this.#line = 'thought'
    this.#endsWithNewline = text.endsWith('\n')
    this.#terminal.err(this.#terminal.style('dim', printable(text)))
  }

  #call({ call_id, tool, path, args }: { readonly call_id: string; readonly tool: string; readonly path: string | null; readonly args: unknown }): void {
    const title = printable(`${tool} ${path ?? summary(args)}`.trim())
    this.#calls.set(call_id, title)
    this.finishLine()
    this.#terminal.err(`${this.#terminal.style('cyan', '→')} ${title}\n`)
  }

  #observation({ call_id, output, success, duration_ms }: { readonly call_id: string; readonly output: unknown; readonly success: boolean; readonly duration_ms: number }): void {
    const title = this.#calls.get(call_id) ?? 'call'
    this.finishLine()
    if (success) this.#terminal.err(`${this.#terminal.style('green', '✓')} ${title} ${this.#terminal.style('dim', `${Math.round(duration_ms)} ms`)}\n`)
    else this.#terminal.err(`${this.#terminal.style('red', '✗')} ${title}: ${printable(summary(output))}\n`)
  }

  #problem(text: string): void {
    this.finishLine()
    this.#terminal.err(`${this.#terminal.style('red', `error: ${printable(text)}`)}\n`)
  }

  #done({ model, usage, timings }: { readonly model: string; readonly usage: { readonly input_tokens: number; readonly output_tokens: number }; readonly timings: { readonly total_ms: number } }): void {
    this.note(`${model} · ${usage.input_tokens} tokens in, ${usage.output_tokens} out · ${(timings.total_ms / 1000).toFixed(1)} s`)
  }
}

const SUMMARY_LENGTH = 120

/** Arguments or an output on one line, cut where a line gets too long to read. */
function summary(value: unknown): string {
  const text = messageOf(value) ?? JSON.stringify(value) ?? ''
  const line = text.replace(/\s+/g, ' ')
  return line.length <= SUMMARY_LENGTH ? line : `${line.slice(0, SUMMARY_LENGTH - 1)}…`
}

/** The message inside of a failed call's output. */
function messageOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return undefined
  if ('message' in value && typeof value.message === 'string') return value.message
  return 'error' in value ? messageOf(value.error) : undefined
}
