import type { DbConn } from '../../db/db.ts'
import { type FilePlace, type FileRow, listBelow } from '../../repositories/file-repository.ts'

const PAGE = 5_000

/** Everything below a folder, depth first, however much it is: for changes that name each file. */
export async function listAllBelow(conn: DbConn, place: FilePlace): Promise<FileRow[]> {
  const all: FileRow[] = []
  for (;;) {
    const last = all.at(-1)
    const rows = await listBelow(conn, place, { limit: PAGE, ...(last !== undefined && { after: last.path }) })
    for (const row of rows) all.push(row)
    if (rows.length < PAGE) return all
  }
}
