/** What passes between the server and the thread in which a script runs. Both ends are ours: nothing here comes from a script unchecked. */

/** Bounds of one run. */
export interface ShellLimits {
  readonly timeMs: number
  /** Bytes that a script may hold in files that it wrote. */
  readonly writtenBytes: number
  /** Files and folders that a script may make or change. */
  readonly writtenFiles: number
  /** The largest file that a script can read. */
  readonly readFileBytes: number
}

export interface ShellJob {
  readonly command: string
  /** An existing folder. */
  readonly cwd: string
  readonly stdin: string
  /** The workspace's copy on disk. */
  readonly mirror: string
  readonly limits: ShellLimits
}

/** What the database says of a file. */
export interface FileFact {
  /** SHA-256 in hex. */
  readonly hash: string
  readonly size: number
  /** Milliseconds since 1970. */
  readonly time: number
}

export interface TreeFact {
  readonly path: string
  /** Null: a folder. */
  readonly file: FileFact | null
}

/** What a folder holds: its own entries, or everything below it when that is not much. */
export interface FolderFacts {
  readonly entries: readonly TreeFact[]
  readonly isDeep: boolean
}

/** A stream of a script, shortened: its beginning, its end, and how much there was. */
export interface StreamPart {
  readonly head: Uint8Array
  readonly tail: Uint8Array
  readonly bytes: number
}

export interface ShellOutput {
  readonly stdout: StreamPart
  readonly stderr: StreamPart
}

/**
 * What the change set has to do, in this order. Paths are those at the moment of the operation; `origin` is where the workspace had it before the script, null
 * for what only steps aside.
 */
export type ShellOperation =
  | { readonly type: 'remove'; readonly path: string; readonly origin: string }
  | { readonly type: 'move'; readonly from: string; readonly to: string; readonly origin: string | null }
  | { readonly type: 'folder'; readonly path: string }
  | { readonly type: 'write'; readonly path: string; readonly content: Uint8Array }

/** What the script saw and the change set relies on. */
export type ShellGuard =
  | { readonly type: 'file'; readonly path: string; readonly hash: string }
  | { readonly type: 'folder'; readonly path: string }
  | { readonly type: 'absent'; readonly path: string }
  /** Everything in a folder that goes to the trash as a whole. */
  | { readonly type: 'content'; readonly path: string; readonly below: readonly TreeFact[] }

export interface ShellPlan {
  readonly guards: readonly ShellGuard[]
  readonly operations: readonly ShellOperation[]
  /** Files in a `/tmp` that vanishes with the script. */
  readonly scratchFiles: number
}

/** How a script ended. `stopped`: at a limit; nothing that it did counts. */
export type ShellEnd =
  | { readonly type: 'exited'; readonly exitCode: number; readonly plan: ShellPlan }
  | { readonly type: 'stopped'; readonly reason: string }

export type ToHost =
  | { readonly type: 'list'; readonly id: number; readonly path: string }
  | { readonly type: 'below'; readonly id: number; readonly path: string }
  | { readonly type: 'content'; readonly id: number; readonly hash: string; readonly size: number }
  | { readonly type: 'output'; readonly output: ShellOutput }
  | { readonly type: 'end'; readonly output: ShellOutput; readonly end: ShellEnd }

export type ToWorker =
  | { readonly type: 'answer'; readonly id: number; readonly value: FolderFacts | Uint8Array }
  | { readonly type: 'failed'; readonly id: number }
