import type { DbConn } from '../../db/db.ts'
import { CHUNK_BYTES, insertChunk, insertLargeBlob } from '../../repositories/blob-repository.ts'
import { type Content, contentHash, contentPieces, contentSize } from './content.ts'

/** Stores large bytes in chunks, one statement each, unless the workspace has them already. Small bytes go in with their version and not through here. */
export async function storeLargeContent(tx: DbConn, workspaceId: string, content: Content): Promise<void> {
  const key = { workspaceId, hash: contentHash(content) }
  if (!(await insertLargeBlob(tx, key, contentSize(content)))) return
  let index = 0
  for await (const data of contentPieces(content, CHUNK_BYTES)) {
    await insertChunk(tx, key, { index, data })
    index += 1
  }
}
