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
  /** Time from a change to its job; more changes in it are the same job. Default half a second. */
  readonly delayMs?: number
  /** Time between looks at all workspaces. Default half a minute. */
  readonly pollMs?: number
}

/** Workspaces that one node indexes at the same time; texts are analysed one after the other anyway. */
const CONCURRENCY = 2

/** The queues in which workspaces wait for their indexes. */
export function indexQueues(followers: readonly Follower[]): readonly JobQueue[] {
  return followers.map((follower) => ({ name: queueName(follower.name), concurrency: CONCURRENCY, run: (workspaceId, signal) => follower.catchUp(workspaceId, signal) }))
}

/** Asks for a job when a workspace has changed, and looks by itself from time to time for what was missed. */
export class SearchIndexing {
  readonly #deps: SearchIndexingDeps
  readonly #waiting = new Map<string, NodeJS.Timeout>()
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
    for (const timer of this.#waiting.values()) clearTimeout(timer)
    await this.#looking
  }

  #later(workspaceId: string): void {
    if (this.#waiting.has(workspaceId)) return
    const timer = setTimeout(() => {
      this.#waiting.delete(workspaceId)
      for (const { name } of this.#deps.followers) void this.#deps.jobs.send(queueName(name), workspaceId)
    }, this.#deps.delayMs ?? 500)
    this.#waiting.set(workspaceId, timer.unref())
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
