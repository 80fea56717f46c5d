import { Mutex } from 'async-mutex'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { AnalysedFile, TextAnalysis } from './text-analysis.ts'

export interface TextAnalyserOptions {
  /** Milliseconds that one file may take; default 10 s. */
  readonly timeLimitMs?: number
}

/** Memory of the thread: a file has at most 1 MiB of text, its words and the tree of one block take some fifty times that at most. */
const MEMORY_MB = 512

/** Analyses texts in a thread of its own, one after the other. A text that takes too long or too much memory costs that thread, which is made again. */
export class TextAnalyser {
  readonly #timeLimitMs: number
  readonly #mutex = new Mutex()
  #worker: Worker | undefined
  #isClosed = false

  constructor({ timeLimitMs = 10_000 }: TextAnalyserOptions = {}) {
    this.#timeLimitMs = timeLimitMs
  }

  /** Undefined when the text cannot be analysed. Rejects when the analyser is closed. */
  analyse(file: AnalysedFile): Promise<TextAnalysis | undefined> {
    return this.#mutex.runExclusive(async () => {
      if (this.#isClosed) throw new Error('the analyser of texts is closed')
      const worker = (this.#worker ??= startWorker())
      const answer = await this.#ask(worker, file)
      if (answer === undefined) await this.#end()
      return answer
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#end()
  }

  async #ask(worker: Worker, file: AnalysedFile): Promise<TextAnalysis | undefined> {
    const limit = AbortSignal.timeout(this.#timeLimitMs)
    const ended = new AbortController()
    const signal = AbortSignal.any([limit, ended.signal])
    worker.once('exit', () => ended.abort())
    try {
      const answer = once(worker, 'message', { signal })
      worker.postMessage(file)
      const [analysis]: TextAnalysis[] = await answer
      return analysis
    } catch {
      return undefined // too slow, too large, or a mistake in it: the caller records that, and the thread is not used again
    } finally {
      worker.removeAllListeners('exit')
    }
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}

function startWorker(): Worker {
  const worker = new Worker(new URL('./analysis-worker.ts', import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB } })
  // What goes wrong inside shows as the end of the thread, which `#ask` hears; without a listener it would end this process.
  worker.on('error', () => undefined)
  worker.unref()
  return worker
}

