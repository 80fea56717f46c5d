import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'

/** Where programs on this machine find their token. */
function localTokenPath(dataDir: string): string {
  return join(dataDir, 'local-token')
}

/** The token in the file; undefined when there is none. */
export async function readLocalToken(dataDir: string): Promise<string | undefined> {
  try {
    const token = (await readFile(localTokenPath(dataDir), 'utf8')).trim()
    return token === '' ? undefined : token
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Replaces the file in one step, readable by its owner alone: whoever reads it meanwhile sees the old token or the new one, never half of one. */
export async function writeLocalToken(dataDir: string, token: string): Promise<void> {
  const temporary = `${localTokenPath(dataDir)}.${randomUUID()}`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(`${token}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, localTokenPath(dataDir))
  } finally {
    await rm(temporary, { force: true })
  }
}
