/** Sends frames with the faults and the pace that a delivery asks for. Ends early, quietly, when the client has gone. */
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Delivery } from './model-turn.ts'

export async function deliver(reply: ServerResponse, frames: readonly string[], delivery: Delivery): Promise<void> {
  const gone = new AbortController()
  const onClose = (): void => gone.abort()
  reply.once('close', onClose)
  try {
    await new Delivering(reply, delivery, gone.signal).run(frames)
  } catch (error) {
    if (!gone.signal.aborted) throw error
  } finally {
    reply.off('close', onClose)
  }
}

class Delivering {
  readonly #reply: ServerResponse
  readonly #delivery: Delivery
  readonly #gone: AbortSignal
  readonly #sizes: readonly number[]
  #turn = 0
  #sent = 0

  constructor(reply: ServerResponse, delivery: Delivery, gone: AbortSignal) {
    this.#reply = reply
    this.#delivery = delivery
    this.#gone = gone
    this.#sizes = delivery.fragments ?? []
  }

  async run(frames: readonly string[]): Promise<void> {
    const { cutAfterEvents, stallAfterEvents, eventDelayMs = 0, firstEventDelayMs } = this.#delivery
    if (firstEventDelayMs !== undefined) await this.#waitForFirst(firstEventDelayMs)
    const last = Math.min(cutAfterEvents ?? frames.length, stallAfterEvents ?? frames.length)
    const kept = frames.slice(0, last)
    for (const piece of eventDelayMs > 0 ? kept : [kept.join('')]) {
      if (!(await this.#bytes(Buffer.from(piece)))) return this.#cut()
      if (eventDelayMs > 0) await this.#pause(eventDelayMs)
    }
    if (last === stallAfterEvents) return this.#stall()
    if (last === cutAfterEvents) return this.#cut()
    this.#reply.end()
  }

  async #waitForFirst(milliseconds: number): Promise<void> {
    this.#reply.flushHeaders()
    const stop = this.#keepAlive()
    try {
      await this.#pause(milliseconds)
    } finally {
      stop()
    }
  }

  /** False when the byte limit was reached. */
  async #bytes(bytes: Buffer): Promise<boolean> {
    const room = (this.#delivery.cutAfterBytes ?? Number.POSITIVE_INFINITY) - this.#sent
    const allowed = bytes.subarray(0, Math.min(room, bytes.length))
    for (const piece of this.#fragments(allowed)) await this.#write(piece)
    this.#sent += allowed.length
    return bytes.length <= room
  }

  *#fragments(bytes: Buffer): Generator<Buffer> {
    if (this.#sizes.length === 0) return yield bytes
    for (let start = 0; start < bytes.length; ) {
      const size = this.#sizes[this.#turn % this.#sizes.length] ?? bytes.length
      this.#turn += 1
      yield bytes.subarray(start, start + size)
      start += size
    }
  }

  /** Settles when the bytes have left the process, so that each write is a packet of its own and a cut loses nothing before it. */
  #write(bytes: Buffer): Promise<void> {
    this.#gone.throwIfAborted()
    if (bytes.length === 0) return Promise.resolve()
    return new Promise((done, failed) => this.#reply.write(bytes, (error) => (error ? failed(error) : done())))
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#gone })
  }

  async #stall(): Promise<void> {
    this.#reply.flushHeaders()
    const stop = this.#keepAlive()
    if (!this.#gone.aborted) await new Promise<void>((done) => this.#gone.addEventListener('abort', () => done(), { once: true }))
    stop()
  }

  /** Says so from time to time that the connection lives; returns what ends that. */
  #keepAlive(): () => void {
    const { keepAliveMs } = this.#delivery
    if (keepAliveMs === undefined) return () => undefined
    const timer = setInterval(() => this.#reply.write(KEEP_ALIVE), keepAliveMs)
    return () => clearInterval(timer)
  }

  #cut(): void {
    const { cutBy = 'close' } = this.#delivery
    switch (cutBy) {
      case 'close':
        this.#reply.destroy()
        return
      case 'reset':
        this.#reply.socket?.resetAndDestroy()
        return
      case 'end':
        this.#reply.end()
        return
    }
  }
}

/** A comment, as SSE has it: every reader skips it. */
const KEEP_ALIVE = ': keep-alive\n\n'

const PACED_TICK_MS = 1

/** Writes each buffer at its own time, `perSecond` of them a second: what a client sees of a model that streams at that rate. */
export async function deliverPaced(reply: ServerResponse, frames: readonly Buffer[], perSecond: number): Promise<void> {
  const startedAt = performance.now()
  for (const [index, frame] of frames.entries()) {
    while (performance.now() - startedAt < (index * 1000) / perSecond) await sleep(PACED_TICK_MS)
    if (reply.destroyed) return
    reply.write(frame)
  }
  reply.end()
}
