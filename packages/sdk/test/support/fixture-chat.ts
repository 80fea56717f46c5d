import type { Chat, Message, Part, SseEvent, StoredEvent, Usage } from '@buildscale/protocol'
import { randomUUID } from 'node:crypto'

type Stored = Extract<SseEvent, { readonly id: number }>

const USAGE: Usage = { input_tokens: 10, cached_tokens: 0, output_tokens: 20, reasoning_tokens: 5 }
const MODEL = 'offline:rules'

/** What a fixture turn does to the files of its workspace. */
export interface TurnEffects {
  write(path: string, content: string): { readonly version: number; readonly changeSeq: number }
}

/** A chat of the fixture server: events in memory, and turns that follow the words of the message. */
export class FixtureChat {
  readonly info: Chat
  readonly events: Stored[] = []
  readonly messages: Message[] = []
  readonly #effects: TurnEffects
  readonly #listeners = new Set<() => void>()
  #queue: Promise<void> = Promise.resolve()
  #waiting = 0
  #stop: AbortController | undefined
  /** The last event before the turn that runs. */
  #beforeTurn: number | undefined

  constructor(info: Chat, effects: TurnEffects) {
    this.info = { ...info }
    this.#effects = effects
  }

  /** Calls `listener` after each change; returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** True when nothing is queued or running; waiting for a person counts as idle. */
  get isIdle(): boolean {
    return this.info.status === 'idle' || this.info.status === 'waiting'
  }

  /** The cursor up to which `messages` holds everything. */
  get asOfSeq(): number {
    return this.#beforeTurn ?? this.events.length
  }

  /** Appends a stored event; tests also call it to write a history by hand. */
  append(event: StoredEvent): number {
    const id = this.events.length + 1
    this.events.push({ id, ...event })
    this.info.last_seq = id
    for (const listener of this.#listeners) listener()
    return id
  }

  setStatus(status: Chat['status']): void {
    this.info.status = status
    for (const listener of this.#listeners) listener()
  }

  post(content: string): { message_id: string; turn_id: string; position: number; after: number } {
    const [message_id, turn_id] = [randomUUID(), randomUUID()]
    const after = this.events.length
    this.messages.push({ id: message_id, turn_id, role: 'user', status: 'complete', parts: [{ id: randomUUID(), type: 'text', text: content }], model: null, usage: null, created_at: now() })
    this.append({ type: 'message', data: { message_id, role: 'user', content, position: this.#waiting } })
    const position = this.#waiting++
    if (this.isIdle) this.setStatus('queued')
    this.#queue = this.#queue.then(() => this.#run({ content, message_id, turn_id }))
    return { message_id, turn_id, position, after }
  }

  /** Stops the running turn; its id is not kept by the fixture, the flag is what callers look at. */
  stop(): boolean {
    if (this.#stop === undefined) return false
    this.#stop.abort()
    return true
  }

  async #run({ content, message_id, turn_id }: { content: string; message_id: string; turn_id: string }): Promise<void> {
    this.#stop = new AbortController()
    const turn = { turn_id, step: 1, attempt: 1 }
    this.#beforeTurn = this.events.length
    this.setStatus('running')
    this.append({ type: 'turn_started', data: { ...turn, message_id } })
    if (content.startsWith('ask')) return this.setStatus('waiting')
    const answer = await this.#answer({ content, turn, signal: this.#stop.signal })
    const status = this.#stop.signal.aborted ? 'stopped' : content.startsWith('fail') ? 'error' : 'complete'
    const message: Message = { id: randomUUID(), turn_id, role: 'assistant', status, parts: answer, model: MODEL, usage: USAGE, created_at: now() }
    this.messages.push(message)
    if (status === 'stopped') this.append({ type: 'stopped', data: { ...turn, reason: 'user', message_id: message.id } })
    else if (status === 'error') this.append({ type: 'error', data: { ...turn, code: 'unavailable', message: 'The model does not answer.', retryable: true } })
    else {
      this.append({ type: 'usage', data: { ...turn, usage: USAGE, cost: 0.01 } })
      this.append({ type: 'done', data: { ...turn, message_id: message.id, usage: USAGE, cost: 0.01, model: MODEL, timings: { queued_ms: 1, first_delta_ms: 2, total_ms: 3 } } })
    }
    this.#stop = undefined
    this.#beforeTurn = undefined
    this.#waiting -= 1
    if (this.#waiting === 0) this.setStatus('idle')
  }

  /** `write PATH TEXT` writes a file; `slow …` talks until it is stopped; everything thinks and repeats what it was told, with some wide characters. */
  async #answer({ content, turn, signal }: { content: string; turn: { turn_id: string; step: number; attempt: number }; signal: AbortSignal }): Promise<Part[]> {
    const reasoning = this.#say('thought', { turn, text: 'I look at the request. 🧐', count: 3 })
    const parts: Part[] = [reasoning]
    const write = /^write (\S+) (.*)$/s.exec(content)
    if (write !== null) parts.push(this.#write({ turn, path: write[1] ?? '', text: write[2] ?? '' }))
    while (content.startsWith('slow') && !signal.aborted) {
      this.#say('chunk', { turn, text: 'still here … ', count: 1 })
      await new Promise((done) => setTimeout(done, 20))
    }
    await new Promise((done) => setTimeout(done, 5))
    parts.push(this.#say('chunk', { turn, text: `You said “${content}”. 日本語 🎉`, count: 7 }))
    return parts
  }

  #say(type: 'thought' | 'chunk', { turn, text, count }: { turn: { turn_id: string; step: number; attempt: number }; text: string; count: number }): Part {
    const part_id = randomUUID()
    const letters = [...text]
    const size = Math.ceil(letters.length / count)
    let offset = 0
    for (let start = 0; start < letters.length; start += size) {
      const delta = letters.slice(start, start + size).join('')
      this.append({ type, data: { ...turn, part_id, offset, text: delta } })
      offset += delta.length
    }
    return { id: part_id, type: type === 'chunk' ? 'text' : 'reasoning', text }
  }

  #write({ turn, path, text }: { turn: { turn_id: string; step: number; attempt: number }; path: string; text: string }): Part {
    const call_id = randomUUID()
    const args = { path, content: text }
    this.append({ type: 'call', data: { ...turn, call_id, tool: 'write', path, args, effect: 'write' } })
    const { version, changeSeq } = this.#effects.write(path, text)
    const output = { path, version }
    this.append({ type: 'observation', data: { ...turn, call_id, output, success: true, duration_ms: 12 } })
    this.append({ type: 'file_updated', data: { ...turn, path, version, change_seq: changeSeq, kind: version === 1 ? 'created' : 'updated', call_id } })
    return { id: randomUUID(), type: 'tool_call', call_id, tool: 'write', args, effect: 'write', status: 'ok', output, duration_ms: 12 }
  }
}

export function now(): string {
  return new Date().toISOString()
}
