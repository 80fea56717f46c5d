/** Where a commit was made that the journal grew by: in this process, or by another node on the same database. */
export type JournalOrigin = 'here' | 'elsewhere'

export interface JournalChange {
  readonly workspaceId: string
  /** The journal has reached this seq. */
  readonly seq: number
  readonly origin: JournalOrigin
}

/** Called after a commit. Must not throw and must not wait: what takes time is only begun here. */
export type JournalListener = (change: JournalChange) => void

/**
 * Tells whoever follows a workspace's journal that it has grown: the mirror, live streams, the search index. A hint and never the truth: one may be lost, or
 * come twice, so each follower keeps its own seq, reads the journal from there, and also looks by itself from time to time.
 */
export class JournalFeed {
  readonly #listeners = new Set<JournalListener>()

  /** Calls `listener` at every change from now on; call the answer to end it. */
  onChanged(listener: JournalListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** After a commit in this process. Never throws, never waits. */
  changed(workspaceId: string, seq: number): void {
    this.#tell({ workspaceId, seq, origin: 'here' })
  }

  /** Another node said that it has committed. */
  changedElsewhere(workspaceId: string, seq: number): void {
    this.#tell({ workspaceId, seq, origin: 'elsewhere' })
  }

  #tell(change: JournalChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}
