/** Runs scripts over a workspace: each in a thread of its own, which is ended at its limits. What a script wrote comes back as a plan; nothing changes here. */
import { Semaphore } from 'async-mutex'
import { Worker } from 'node:worker_threads'
import type { SessionConn } from '../../db/session-conn.ts'
import type { MirrorService } from '../../mirror/mirror-service.ts'
import { readBlob } from '../../repositories/blob-repository.ts'
import { type FactRow, listFactsBelow, listFactsIn } from '../../repositories/folder-facts-repository.ts'
import type { FileService } from '../files/file-service.ts'
import { runInSlot } from '../run-in-slot.ts'
import type { FolderFacts, ShellEnd, ShellJob, ShellLimits, ShellOutput, ShellPlan, ToHost, ToWorker } from './shell-protocol.ts'

export interface ShellScope {
  readonly conn: Pick<SessionConn, 'run'>
  readonly workspaceId: string
  readonly signal: AbortSignal
}

export interface ShellRequest {
  readonly command: string
  /** A folder that exists. */
  readonly cwd: string
  readonly stdin: string
  readonly timeMs: number
}

/** `stopped`: at a limit, with what was printed until then; nothing of it may be applied. */
export type ShellRun =
  | { readonly type: 'exited'; readonly exitCode: number; readonly plan: ShellPlan; readonly output: ShellOutput }
  | { readonly type: 'stopped'; readonly reason: string; readonly output: ShellOutput }

export interface ShellServiceDeps {
  readonly mirror: Pick<MirrorService, 'waitFor' | 'folderOf'>
  readonly files: Pick<FileService, 'storeAhead'>
  readonly limits?: Partial<ShellLimits>
}

/** Scripts at the same time on one node: each may take a core and its share of memory. */
const MAX_RUNNING = 4
const MEMORY = { maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 }
const LIMITS: Omit<ShellLimits, 'timeMs'> = { writtenBytes: 64 * 1024 * 1024, writtenFiles: 5_000, readFileBytes: 32 * 1024 * 1024 }
/** The interpreter ends itself at its time limit and tells what it did; a thread that does not is ended from outside. */
const GRACE_MS = 1_500
/** The copy on disk is the fast way to content, not the only one, so a copy that is behind is not waited for long. */
const MIRROR_WAIT_MS = 1_000
/** A folder with at most this many entries below it is told at once, with all of them. */
const DEEP_ENTRIES = 2_000
const PAGE = 5_000

export class ShellService {
  readonly #deps: ShellServiceDeps
  readonly #slots = new Semaphore(MAX_RUNNING)

  constructor(deps: ShellServiceDeps) {
    this.#deps = deps
  }

  /** Rejects with the signal's reason when aborted. */
  async run(scope: ShellScope, request: ShellRequest): Promise<ShellRun> {
    const { mirror, limits } = this.#deps
    await mirror.waitFor(scope.workspaceId, { timeoutMs: MIRROR_WAIT_MS, signal: scope.signal })
    const { timeMs, ...script } = request
    const job: ShellJob = { ...script, mirror: mirror.folderOf(scope.workspaceId), limits: { ...LIMITS, ...limits, timeMs } }
    const run = await runInSlot(this.#slots, scope.signal, () => new ShellThread(scope, job).run())
    if (run.type === 'exited') await this.#storeAhead(scope.workspaceId, run.plan)
    return run
  }

  /** Large content goes to the database before the workspace is locked for the change. */
  async #storeAhead(workspaceId: string, { operations }: ShellPlan): Promise<void> {
    for (const operation of operations) if (operation.type === 'write') await this.#deps.files.storeAhead(workspaceId, Buffer.from(operation.content))
  }
}

const NOTHING: ShellOutput = { stdout: { head: new Uint8Array(), tail: new Uint8Array(), bytes: 0 }, stderr: { head: new Uint8Array(), tail: new Uint8Array(), bytes: 0 } }

/** One thread from its start to its end. */
class ShellThread {
  readonly #scope: ShellScope
  readonly #job: ShellJob
  readonly #ended = Promise.withResolvers<ShellRun>()
  #output = NOTHING

  constructor(scope: ShellScope, job: ShellJob) {
    this.#scope = scope
    this.#job = job
  }

  async run(): Promise<ShellRun> {
    const { signal } = this.#scope
    const { timeMs } = this.#job.limits
    // Nothing of this process is passed on: no environment, no arguments, no streams.
    const worker = new Worker(new URL('./shell-worker.ts', import.meta.url), { workerData: this.#job, env: {}, argv: [], execArgv: [], stdout: true, stderr: true, resourceLimits: MEMORY })
    worker.on('message', (message: ToHost) => void this.#received(worker, message))
    worker.on('error', (error) => this.#failed(error))
    worker.on('exit', () => this.#ended.reject(new Error('the thread of a script ended without a result')))
    const timer = setTimeout(() => this.#stopped(`the time limit of ${timeMs / 1000} seconds was reached`), timeMs + GRACE_MS)
    const onAbort = (): void => this.#ended.reject(signal.reason)
    signal.addEventListener('abort', onAbort)
    try {
      return await this.#ended.promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      await worker.terminate()
    }
  }

  async #received(worker: Worker, message: ToHost): Promise<void> {
    switch (message.type) {
      case 'output':
        this.#output = message.output
        return
      case 'end':
        this.#output = message.output
        this.#ended.resolve({ ...readEnd(message.end, this.#job.limits), output: message.output })
        return
      case 'list':
      case 'below':
      case 'content':
        worker.postMessage(await this.#answer(message))
    }
  }

  async #answer(question: Extract<ToHost, { readonly id: number }>): Promise<ToWorker> {
    try {
      return { type: 'answer', id: question.id, value: await this.#look(question) }
    } catch (error) {
      // A script must not go on over half a workspace: the call fails with what the database says.
      this.#ended.reject(error)
      return { type: 'failed', id: question.id }
    }
  }

  #look(question: Extract<ToHost, { readonly id: number }>): Promise<FolderFacts | Uint8Array> {
    const { conn, workspaceId } = this.#scope
    return conn.run(async (db) => {
      switch (question.type) {
        case 'content': {
          const { hash, size } = question
          return Buffer.concat(await Array.fromAsync(readBlob(db, { workspaceId, hash: Buffer.from(hash, 'hex') }, { size, start: 0, end: size - 1 })))
        }
        case 'below': {
          const rows: FactRow[] = []
          for (let page = PAGE; page === PAGE; ) {
            const after = rows.at(-1)?.path
            const next = await listFactsBelow(db, { workspaceId, path: question.path }, { limit: PAGE, ...(after !== undefined && { after }) })
            for (const row of next) rows.push(row)
            page = next.length
          }
          return facts(rows, true)
        }
        case 'list': {
          const all = await listFactsBelow(db, { workspaceId, path: question.path }, { limit: DEEP_ENTRIES + 1 })
          return all.length <= DEEP_ENTRIES ? facts(all, true) : facts(await listFactsIn(db, { workspaceId, path: question.path }), false)
        }
      }
    })
  }

  #failed(error: unknown): void {
    const isMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    if (isMemory) this.#stopped('it needed more memory than a script may use')
    else this.#ended.reject(error)
  }

  #stopped(reason: string): void {
    this.#ended.resolve({ type: 'stopped', reason, output: this.#output })
  }
}

function readEnd(end: ShellEnd, { timeMs }: ShellLimits): ShellEnd {
  if (end.type === 'exited') return end
  return /execution deadline/.test(end.reason) ? { type: 'stopped', reason: `the time limit of ${timeMs / 1000} seconds was reached` } : end
}

function facts(rows: readonly FactRow[], isDeep: boolean): FolderFacts {
  return {
    isDeep,
    entries: rows.map(({ path, hash, size, updatedAt }) => ({ path, file: hash === null || size === null ? null : { hash: hash.toString('hex'), size, time: updatedAt.getTime() } })),
  }
}
