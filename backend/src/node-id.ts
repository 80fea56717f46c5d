import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { uuidv7 } from 'uuidv7'
import { StartError } from './errors.ts'

/** The id of this node, kept in its data directory for as long as the directory exists: under it the node finds its own unfinished turns again. */
export function readNodeId(dataDir: string): string {
  const path = join(dataDir, 'node-id')
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${uuidv7()}\n`, { mode: 0o600 })
  try {
    // A link appears whole or not at all, and never replaces an id that is there.
    linkSync(draft, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(draft, { force: true })
  }
  const id = readFileSync(path, 'utf8').trim()
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new StartError(`${path} does not hold a node id. Remove the file to get a new one; turns that this node had not finished are then taken over after 15 s.`)
  return id
}
