import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { DbConn } from '../db/db.ts'
import { readBlob } from '../repositories/blob-repository.ts'
import type { MirrorDifference } from './mirror-service.ts'

/** Files with a version, old or new, whose stored bytes do not have their hash any more. Reads every byte of the workspace, a chunk at a time. */
export async function damagedBlobs(conn: DbConn, workspaceId: string): Promise<MirrorDifference[]> {
  const damaged: MirrorDifference[] = []
  let after: Buffer = Buffer.alloc(0)
  for (;;) {
    const { rows } = await sql<{ hash: Buffer; size: number }>`
      SELECT hash, size FROM blobs WHERE workspace_id = ${workspaceId}::uuid AND hash > ${after} ORDER BY hash LIMIT 500`.execute(conn)
    for (const { hash, size } of rows) {
      if (await isWhole(conn, { workspaceId, hash, size })) continue
      for (const path of await pathsOf(conn, workspaceId, hash)) damaged.push({ path, kind: 'content' })
    }
    const last = rows.at(-1)
    if (last === undefined) return damaged
    after = last.hash
  }
}

async function isWhole(conn: DbConn, { workspaceId, hash, size }: { readonly workspaceId: string; readonly hash: Buffer; readonly size: number }): Promise<boolean> {
  const actual = createHash('sha256')
  try {
    for await (const piece of readBlob(conn, { workspaceId, hash }, { size, start: 0, end: size - 1 })) actual.update(piece)
  } catch (error) {
    if (error instanceof Error && error.message.includes('has lost bytes')) return false
    throw error
  }
  return actual.digest().equals(hash)
}

async function pathsOf(conn: DbConn, workspaceId: string, hash: Buffer): Promise<string[]> {
  const { rows } = await sql<{ path: string }>`
    SELECT DISTINCT f.path FROM file_versions v JOIN files f ON f.workspace_id = v.workspace_id AND f.id = v.file_id
    WHERE v.workspace_id = ${workspaceId}::uuid AND v.blob_hash = ${hash} ORDER BY f.path`.execute(conn)
  return rows.map(({ path }) => path)
}
