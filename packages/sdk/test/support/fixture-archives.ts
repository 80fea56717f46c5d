import type { ImportResult } from '@buildscale/protocol'
import { extract, pack } from 'tar-stream'
import type { FixtureWorkspace } from './fixture-workspace.ts'

/** Stores the files of a tar; names that the real server refuses are skipped here too. */
export async function importTar(workspace: FixtureWorkspace, { to, archive }: { readonly to: string; readonly archive: Buffer }): Promise<ImportResult> {
  const parser = extract()
  parser.end(archive)
  const skipped: { path: string; reason: string }[] = []
  const counts = { imported: 0, unchanged: 0, bytes: 0 }
  const base = `/${to.replace(/^\/+|\/+$/g, '')}`.replace(/^\/$/, '')
  for await (const entry of parser) {
    const { name, type } = entry.header
    const bytes = Buffer.concat((await Array.fromAsync(entry)).filter((piece) => Buffer.isBuffer(piece)))
    if (type !== 'file') continue
    if (name.includes('\\')) skipped.push({ path: name, reason: 'A path may not contain a backslash' })
    else {
      counts[workspace.put(`${base}/${name}`, bytes).unchanged ? 'unchanged' : 'imported'] += 1
      counts.bytes += bytes.length
    }
  }
  return { ...counts, skipped, skipped_count: skipped.length, change_set_id: null }
}

export async function exportTar(workspace: FixtureWorkspace): Promise<Buffer> {
  const archive = pack()
  for (const [path, { versions }] of workspace.files) archive.entry({ name: path.slice(1) }, versions.at(-1)?.bytes ?? '')
  archive.finalize()
  return Buffer.concat((await Array.fromAsync(archive)).filter((piece) => Buffer.isBuffer(piece)))
}
