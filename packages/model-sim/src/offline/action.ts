/** What an instruction asks for, one entry per thing to do. */
export interface FileToWrite {
  readonly path: string
  readonly content: string
}

export type Action =
  | { readonly type: 'greet' }
  | { readonly type: 'introduce' }
  | { readonly type: 'list'; readonly path: string; readonly isRecursive: boolean }
  | { readonly type: 'read'; readonly paths: readonly string[] }
  | { readonly type: 'find-definition'; readonly name: string }
  | { readonly type: 'search'; readonly words: string; readonly folder: string | undefined }
  | { readonly type: 'glob'; readonly pattern: string }
  | { readonly type: 'write'; readonly files: readonly FileToWrite[] }
  | { readonly type: 'write-many'; readonly files: readonly FileToWrite[]; readonly atOnce: number | undefined }
  /** `sources` are read first; without any, the summary is of what was seen before. */
  | { readonly type: 'write-summary'; readonly path: string; readonly sources: readonly string[] }
  | { readonly type: 'summarise' }
  | { readonly type: 'edit'; readonly path: string; readonly from: string; readonly to: string }
  | { readonly type: 'delete'; readonly paths: readonly string[]; readonly isRecursive: boolean }
  | { readonly type: 'rename'; readonly from: string; readonly to: string }
  | { readonly type: 'make-folder'; readonly paths: readonly string[] }
  | { readonly type: 'touch'; readonly paths: readonly string[] }
  | { readonly type: 'describe-file'; readonly paths: readonly string[] }
  | { readonly type: 'plan'; readonly goal: string; readonly path: string | undefined }
  | { readonly type: 'unknown'; readonly text: string }
