/** One thing that an archive or a form holds, with its name as it stands there: unchecked. */
export type ArchiveEntry =
  /** The bytes can be read until the next entry is asked for; what is left of them is passed over. */
  | { readonly type: 'file'; readonly name: string; readonly bytes: AsyncIterable<Buffer> }
  | { readonly type: 'folder'; readonly name: string }
  | { readonly type: 'other'; readonly name: string; readonly reason: string }

/** The bytes of one entry cannot be had, while the rest of the archive can. */
export class DamagedEntry extends Error {
  override readonly name = 'DamagedEntry'
}
