/** What people and other programs did to the copy on disk, on its way into the database. Decided here, carried out by whoever may change files. */

/** Bytes that were read from the disk whole: in memory, or in a file of ours when large. */
export type DiskContent = Buffer | { readonly hash: Buffer; readonly size: number; readonly path: string }

export type DiskEdit =
  | { readonly type: 'moved'; readonly from: string; readonly to: string }
  | { readonly type: 'deleted'; readonly path: string }
  | { readonly type: 'folder'; readonly path: string }
  | { readonly type: 'written'; readonly path: string; readonly content: DiskContent }

/** Edits that were found in a comparison with the tree of one journal seq. */
export interface DiskEdits {
  readonly seq: number
  readonly edits: readonly DiskEdit[]
}

/** An edit that the workspace does not take, in words for people. */
export interface RefusedEdit {
  readonly path: string
  readonly reason: string
}

export interface ImportedEdits {
  /** The journal's seq before the first row of these edits, and that of the last one. */
  readonly before: number
  readonly last: number
  readonly refused: readonly RefusedEdit[]
  /** Edits of what was changed in the database too since `seq`: left out, to be looked at again. */
  readonly overtaken: number
}

/** Bytes that another program had written where the journal now says something else. */
export interface OvertakenFile {
  /** Where they were. */
  readonly path: string
  /** The file that was there when the journal went on; null when it is not known. */
  readonly fileId: string | null
  readonly content: DiskContent
}

/** Carries edits of the disk into the database. */
export interface DiskEditImporter {
  /** The largest file that is taken. */
  readonly maxBytes: number
  /** Why a path that is on disk cannot be a path of a workspace; undefined when it can. */
  faultOf(path: string): string | undefined
  /** Takes the bytes of a file in, at most `maxBytes`. The result goes to `discard` in the end. */
  takeIn(stream: AsyncIterable<Buffer>): Promise<DiskContent>
  discard(content: DiskContent): Promise<void>
  /** Makes edits one change set. What was changed in the database since `seq`, at, above or below the same paths, wins and is left out. */
  importEdits(workspaceId: string, edits: DiskEdits): Promise<ImportedEdits>
  /**
   * Keeps overtaken bytes as a version, and puts what the database had on top of it again, in one change set: nothing is lost and the history shows both.
   * False when there is no place for them.
   */
  keepOvertaken(workspaceId: string, file: OvertakenFile): Promise<boolean>
}
