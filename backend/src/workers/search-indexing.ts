import type { IndexName } from '../repositories/search-repository.ts'
import type { JournalFeed } from '../services/files/journal-feed.ts'
import type { BackgroundJobs, JobQueue } from './background-jobs.ts'

/** An index that follows the journal, as far as this worker cares. */
interface Follower {
  readonly name: IndexName
  catchUp(workspaceId: string, signal: AbortSignal): Promise<void>
}

export interface SearchIndexingDeps {
  readonly journal: Pick<JournalFeed, 'onChanged'>
  readonly followers: readonly Follower[]
  /** Workspaces of which an index has not taken in everything. */
  readonly behind: (index: IndexName) => Promise<readonly string[]>
  readonly jobs: Pick<BackgroundJobs, 'send'>
  readonly log: { warn(fields: object, message: string): void }
  /** A job is asked for when a workspace has not changed for so long. Default half a second. */
  readonly delayMs?: number
  /** …and at the latest so long after its first change, so that one that never rests is indexed too. Default 15 seconds. */
  readonly longestDelayMs?: number
  /** Time between looks at all workspaces. Default half a minute. */
  readonly pollMs?: number
}

/** Workspaces that one node indexes at the same time; texts are analysed one after the other anyway. */
const CONCURRENCY = 2

/** The queues in which workspaces wait for their indexes. */
export function indexQueues(followers: readonly Follower[]): readonly JobQueue[] {
  return followers.map((follower) => ({ name: queueName(follower.name), concurrency: CONCURRENCY, run: (workspaceId, signal) => follower.catchUp(workspaceId, signal) }))
}

interface Waiting {
  readonly timer: NodeJS.Timeout
  /** After this moment the timer is not put off any more. */
  readonly lastPutOff: number
}

/** Asks for a job when a workspace has changed, and looks by itself from time to time for what was missed. */
export class SearchIndexing {
  readonly #deps: SearchIndexingDeps
  readonly #waiting = new Map<string, Waiting>()
  #end: (() => void) | undefined
  #poll: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()

  constructor(deps: SearchIndexingDeps) {
    this.#deps = deps
  }

  start(): void {
    // Changes of other nodes are theirs to ask for: jobs are shared.
    this.#end = this.#deps.journal.onChanged(({ workspaceId, origin }) => {
      if (origin === 'here') this.#later(workspaceId)
    })
    this.#look()
    this.#poll = setInterval(() => this.#look(), this.#deps.pollMs ?? 30_000).unref()
  }

  async close(): Promise<void> {
    this.#end?.()
    clearInterval(this.#poll)
    for (const { timer } of this.#waiting.values()) clearTimeout(timer)
    await this.#looking
  }

  /** A large import is indexed after it, not beside it: each of its batches puts the job off. */
  #later(workspaceId: string): void {
    const waiting = this.#waiting.get(workspaceId)
    if (waiting !== undefined) {
      if (Date.now() < waiting.lastPutOff) waiting.timer.refresh()
      return
    }
    const { followers, jobs, delayMs = 500, longestDelayMs = 15_000 } = this.#deps
    const timer = setTimeout(() => {
      this.#waiting.delete(workspaceId)
      for (const { name } of followers) void jobs.send(queueName(name), workspaceId)
    }, delayMs)
    this.#waiting.set(workspaceId, { timer: timer.unref(), lastPutOff: Date.now() + longestDelayMs - delayMs })
  }

  #look(): void {
    this.#looking = this.#looking.then(() => this.#askForAll())
  }

  async #askForAll(): Promise<void> {
    const { followers, behind, jobs, log } = this.#deps
    try {
      for (const { name } of followers) for (const workspaceId of await behind(name)) await jobs.send(queueName(name), workspaceId)
    } catch (error) {
      log.warn({ err: error }, 'could not look for workspaces that are not indexed yet; the next look tries again')
    }
  }
}

function queueName(follower: IndexName): string {
  return `search-${follower}`
}
