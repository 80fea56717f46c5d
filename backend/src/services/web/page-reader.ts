import { Semaphore } from 'async-mutex'
import { Worker } from 'node:worker_threads'
import { AppError } from '../../errors.ts'
import { runInSlot } from '../run-in-slot.ts'
import type { PageJob, PageText } from './page-text.ts'

/** Pages at the same time: each takes a core while it is read. */
const MAX_READING = 2
const MEMORY = { maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 32 }
const TIME_LIMIT_MS = 15_000

/** Turns HTML into text, each page in a thread that is ended when it takes too long or too much. */
export class PageReader {
  readonly #slots = new Semaphore(MAX_READING)
  readonly #timeLimitMs: number

  constructor({ timeLimitMs = TIME_LIMIT_MS }: { readonly timeLimitMs?: number } = {}) {
    this.#timeLimitMs = timeLimitMs
  }

  /** Throws `unprocessable` for a page that cannot be read within the limits; rejects with the signal's reason when aborted. */
  read(job: PageJob, signal: AbortSignal): Promise<PageText> {
    return runInSlot(this.#slots, signal, async () => {
      const { promise, resolve, reject } = Promise.withResolvers<PageText>()
      const worker = new Worker(new URL('./page-worker.ts', import.meta.url), { workerData: job, env: {}, argv: [], execArgv: [], stdout: true, stderr: true, resourceLimits: MEMORY })
      worker.on('message', resolve)
      worker.on('error', (error) => reject(tooMuch(error)))
      worker.on('exit', () => reject(tooMuch(new Error('the thread ended'))))
      const timer = setTimeout(() => reject(tooMuch(new Error('out of time'))), this.#timeLimitMs)
      const onAbort = (): void => reject(signal.reason)
      signal.addEventListener('abort', onAbort)
      try {
        return await promise
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        await worker.terminate()
      }
    })
  }
}

function tooMuch(cause: unknown): AppError {
  return new AppError('unprocessable', 'The page is too large or too tangled to be made readable. Ask for it with format "html" and a limit, or use another page.', { cause })
}
