/** One run of ripgrep, from start to end: nothing of what it prints is understood here. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { rgPath } from '@vscode/ripgrep'
import { AppError } from '../../../errors.ts'

export interface RipgrepRun {
  readonly arguments: readonly string[]
  /** Where it runs; results are relative to it. */
  readonly directory: string
  /** The byte behind every record of its output. */
  readonly separator: '\n' | '\0'
  readonly signal: AbortSignal
  /** Milliseconds. */
  readonly timeLimitMs: number
}

/** How a run ended. `stopped`: the reader had enough. */
export type RipgrepEnd =
  | { readonly type: 'finished'; readonly exitCode: number; readonly errorText: string; readonly skippedRecords: number }
  | { readonly type: 'stopped' | 'time-limit' | 'output-limit'; readonly skippedRecords: number }

/** Takes one record; false (or a promise of it) ends the run. */
export type RecordReader = (record: Buffer) => boolean | Promise<boolean>

/** Most that is read from one run, so that a search for everything ends. */
const OUTPUT_LIMIT_BYTES = 256 * 1024 * 1024
/** A longer record (a match in a line of megabytes) is left out and counted. */
export const RECORD_LIMIT_BYTES = 2 * 1024 * 1024
const ERROR_LIMIT_BYTES = 8 * 1024

type Child = ChildProcessByStdio<null, Readable, Readable>

/**
 * Runs ripgrep and gives `read` its records. However it ends, the process has ended too when this settles.
 * Rejects with the signal's reason when aborted, with what `read` rejects with, and with `unavailable` when ripgrep cannot be started.
 */
export async function runRipgrep(run: RipgrepRun, read: RecordReader): Promise<RipgrepEnd> {
  run.signal.throwIfAborted()
  // No environment at all: RIPGREP_CONFIG_PATH and the like must not change what is searched or run.
  const child = spawn(rgPath, run.arguments, { cwd: run.directory, env: {}, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = exitOf(child)
  ended.catch(() => undefined) // awaited below; until then a start that fails must not count as nobody's
  const time = AbortSignal.timeout(run.timeLimitMs)
  const kill = (): void => void child.kill('SIGKILL')
  const halt = AbortSignal.any([run.signal, time])
  halt.addEventListener('abort', kill, { once: true })
  try {
    const [errorText, { reason, skippedRecords }] = await Promise.all([errorOutput(child), readRecords(child, { run, read, halt })])
    const exitCode = await ended
    run.signal.throwIfAborted()
    if (reason === 'stopped' || reason === 'output-limit') return { type: reason, skippedRecords }
    // A killed process ends its output as a finished one does: only the clock tells them apart.
    if (time.aborted) return { type: 'time-limit', skippedRecords }
    return { type: 'finished', exitCode, errorText, skippedRecords }
  } finally {
    halt.removeEventListener('abort', kill)
    kill()
    await ended.catch(() => undefined) // a start that failed is told by the awaits above
  }
}

async function exitOf(child: Child): Promise<number> {
  try {
    const [code] = await once(child, 'close')
    return typeof code === 'number' ? code : -1
  } catch (cause) {
    throw new AppError('unavailable', 'Search is not available: its program, ripgrep, could not be started.', { cause })
  }
}

interface Records {
  readonly reason: 'finished' | 'halted' | 'stopped' | 'output-limit'
  readonly skippedRecords: number
}

interface Reading {
  readonly run: RipgrepRun
  readonly read: RecordReader
  /** Aborted when time is up or the caller has gone. */
  readonly halt: AbortSignal
}

async function readRecords(child: Child, { run, read, halt }: Reading): Promise<Records> {
  const splitter = new RecordSplitter(run.separator)
  let bytes = 0
  for await (const chunk of chunksOf(child.stdout)) {
    bytes += chunk.length
    for (const record of splitter.add(chunk)) {
      const goesOn = read(record)
      if (!(typeof goesOn === 'boolean' ? goesOn : await goesOn)) return stop(child, 'stopped', splitter.skipped)
      // Thousands of records may wait in one chunk: the end of the process alone would not end a slow reader.
      if (halt.aborted) return stop(child, 'halted', splitter.skipped)
    }
    if (bytes > OUTPUT_LIMIT_BYTES) return stop(child, 'output-limit', splitter.skipped)
  }
  return { reason: 'finished', skippedRecords: splitter.skipped }
}

/** Ends the process at once: its error output, which is awaited as well, then ends too. */
function stop(child: Child, reason: Records['reason'], skippedRecords: number): Records {
  child.kill('SIGKILL')
  return { reason, skippedRecords }
}

async function errorOutput(child: Child): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of chunksOf(child.stderr)) {
    if (bytes < ERROR_LIMIT_BYTES) chunks.push(chunk)
    bytes += chunk.length
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, ERROR_LIMIT_BYTES)
}

async function* chunksOf(stream: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    if (Buffer.isBuffer(chunk)) yield chunk
  }
}

/** Cuts a stream of bytes into records. Without a separator at its end, the last piece is no record: ripgrep was ended in the middle of it. */
export class RecordSplitter {
  readonly #separator: number
  #pieces: Buffer[] = []
  #bytes = 0
  #skipped = 0

  constructor(separator: '\n' | '\0') {
    this.#separator = separator.charCodeAt(0)
  }

  /** Records that were longer than `RECORD_LIMIT_BYTES`. */
  get skipped(): number {
    return this.#skipped
  }

  *add(chunk: Buffer): Generator<Buffer> {
    let start = 0
    for (let end = chunk.indexOf(this.#separator); end >= 0; end = chunk.indexOf(this.#separator, start)) {
      const record = this.#finish(chunk.subarray(start, end))
      start = end + 1
      if (record !== undefined) yield record
    }
    this.#keep(chunk.subarray(start))
  }

  #keep(piece: Buffer): void {
    this.#bytes += piece.length
    // Too long already: its pieces are forgotten, its length is what tells at the end.
    if (this.#bytes > RECORD_LIMIT_BYTES) this.#pieces = []
    else if (piece.length > 0) this.#pieces.push(piece)
  }

  #finish(last: Buffer): Buffer | undefined {
    const isTooLong = this.#bytes + last.length > RECORD_LIMIT_BYTES
    const record = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last])
    this.#pieces = []
    this.#bytes = 0
    if (!isTooLong) return record
    this.#skipped++
    return undefined
  }
}
