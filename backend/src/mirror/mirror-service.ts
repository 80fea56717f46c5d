/** The disk copy of every workspace, derived from the journal. PostgreSQL is the truth: nothing here can fail a commit. */

export interface MirrorStatus {
  readonly workspaceId: string
  /** The last journal seq that the disk shows. */
  readonly appliedSeq: number
  /** True while changes are waiting that could not be brought to disk. */
  readonly behind: boolean
  /** Why, for people; null when nothing is wrong. */
  readonly error: string | null
  /** What happened to the disk that people should know of although it has been put right; null when nothing did. */
  readonly notice: string | null
}

export interface MirrorDifference {
  readonly path: string
  readonly kind: 'missing' | 'extra' | 'content' | 'type'
  /** Why it stays different, where neither an import nor a repair of the copy can put it right by itself. */
  readonly reason?: string
}

export interface MirrorInspection {
  readonly changeSeq: number
  readonly appliedSeq: number
  /** What was found; with `repair`, what has been put right. */
  readonly differences: readonly MirrorDifference[]
  /** As in the status. */
  readonly notice: string | null
}

export interface WaitOptions {
  /** The journal seq to wait for; default: the workspace's newest now. */
  readonly seq?: number
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

export interface InspectOptions {
  /** Read every byte, of the disk and of every stored version, instead of trusting size and time. */
  readonly deep: boolean
  readonly repair: boolean
}

export interface MirrorService {
  /** Starts bringing every workspace up to date in the background; resolves when that has begun. */
  start(): Promise<void>
  /** After a commit: the journal of this workspace has reached `seq`. Never throws, never waits. */
  changed(workspaceId: string, seq: number): void
  /** Waits until the disk shows `seq`. `current` is false when the time ran out first. Rejects when `signal` aborts. */
  waitFor(workspaceId: string, options: WaitOptions): Promise<{ readonly applied: number; readonly current: boolean }>
  /** Absolute path of the folder that holds the files of a workspace and nothing else. It may not exist before the first change. */
  folderOf(workspaceId: string): string
  /** Every workspace that the mirror has been asked about since the start. */
  status(): readonly MirrorStatus[]
  /** Compares the tree in the database with the disk. A repair first imports what people changed on disk, then rewrites what still differs. Throws `not_found` for a workspace that does not exist. */
  inspect(workspaceId: string, options: InspectOptions): Promise<MirrorInspection>
  /**
   * The workspace was deleted: ends its flusher, and removes its state, its temporary files and its folder with every file that it wrote or imported.
   * What it does not know goes to `lost+found`, where what had been set aside before stays too.
   */
  forget(workspaceId: string): Promise<void>
  /** Ends after the change that is being applied; what is left is done at the next start. */
  close(): Promise<void>
}
