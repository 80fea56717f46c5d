/** Builds the web page when its sources are newer than what was built last. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What the page is built from, relative to the repository. */
const SOURCES = ['web/src', 'web/public', 'web/index.html', 'web/vite.config.ts', 'packages/sdk/src', 'packages/protocol/src', 'package-lock.json']

export type WebState = 'current' | 'stale' | 'absent'

/** Whether `web/dist` fits its sources; `absent` where there is no page to build. A directory's own time tells of removed files. */
export function webState(root: string): WebState {
  if (!existsSync(join(root, 'web/vite.config.ts'))) return 'absent'
  const built = statSync(join(root, 'web/dist/index.html'), { throwIfNoEntry: false })
  if (built === undefined) return 'stale'
  return SOURCES.some((source) => isNewer(join(root, source), built.mtimeMs)) ? 'stale' : 'current'
}

/** Builds when needed; its report goes to stderr. Throws when the build fails. */
export async function buildWeb(root: string): Promise<void> {
  const state = webState(root)
  if (state === 'absent') process.stderr.write('There is no web page to build in this version; the API is served alone.\n')
  if (state !== 'stale') return
  process.stderr.write('Building the web page …\n')
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  const child = spawn(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: join(root, 'web'), stdio: ['ignore', 2, 2] })
  const code = await new Promise<number | null>((done, failed) => child.once('error', failed).once('exit', done))
  if (code !== 0) throw new Error('The web page could not be built; see above.')
}

function isNewer(path: string, than: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return false
  if (found.mtimeMs > than) return true
  if (!found.isDirectory()) return false
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).some((name) => statSync(join(path, name)).mtimeMs > than)
}
