import type { Db, DbConn } from '../../../db/db.ts'
import { type JournalBatch, readTexts } from '../journal-batch.ts'
import type { JournalIndex } from '../journal-follower.ts'
import type { IndexedText, SemanticIndex } from '../semantic-index.ts'

/** Lets the index of meanings follow the journal, at its own pace: an outage of the model behind it holds up nothing else. */
export class SemanticJournalIndex implements JournalIndex {
  readonly name = 'semantic'
  readonly #deps: { readonly db: Db; readonly semantic: Pick<SemanticIndex, 'update' | 'remove'> }

  constructor(deps: { readonly db: Db; readonly semantic: Pick<SemanticIndex, 'update' | 'remove'> }) {
    this.#deps = deps
  }

  async prepare({ workspaceId, files, gone }: JournalBatch, signal: AbortSignal): Promise<(tx: DbConn) => Promise<void>> {
    const { db, semantic } = this.#deps
    const texts = await readTexts(db.kysely, workspaceId, files)
    const readable: IndexedText[] = []
    const unreadable: string[] = []
    for (const { id, path, hash, mime } of files) {
      const text = texts.get(hash.toString('hex'))?.text ?? null
      if (text === null) unreadable.push(id)
      else readable.push({ workspaceId, fileId: id, path, hash, mime, text })
    }
    const without = [...gone, ...unreadable]
    if (without.length > 0) await semantic.remove(workspaceId, without)
    if (readable.length > 0) await semantic.update(readable, signal)
    return () => Promise.resolve()
  }
}
