import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { type ServerProcess, startServerProcess, temporaryDataDir } from './support/server-process.ts'
import { createTestDatabase } from './support/test-database.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')

interface Command {
  readonly command: string
  readonly output: string
}

/** The session of the README: each `$ npx buildscale …` with what stands below it. */
function session(): readonly Command[] {
  const block = /```console\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1] ?? ''
  return block.split(/^\$ /m).filter((text) => text !== '').map((text) => {
    const [command = '', ...output] = text.trim().split('\n')
    return { command, output: output.join('\n') }
  })
}

/** Runs it in a shell, as a reader does, with both outputs in one terminal. */
async function run(server: ServerProcess, command: string): Promise<string> {
  const program = `exec "${process.execPath}" cli/src/main.ts ${command.replace('npx buildscale ', '')} 2>&1`
  const child = spawn('sh', ['-c', program], { cwd: ROOT, env: { PATH: process.env['PATH'], BUILDSCALE_URL: server.url, BUILDSCALE_TOKEN: server.token }, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await once(child, 'close')
  return output
}

/** Times and sizes differ from run to run; the words do not. */
const words = (text: string): string => text.trim().replace(/\d+(\.\d+)?/g, 'N').replace(/ +/g, ' ')

it('prints what the README shows of a first session', { timeout: 60_000 }, async () => {
  using data = temporaryDataDir()
  await using database = await createTestDatabase()
  await using server = await startServerProcess({ dataDir: data.path, env: database.env })
  const commands = session()
  expect(commands.length).toBeGreaterThan(3)
  for (const { command, output } of commands) expect(words(await run(server, command)), command).toBe(words(output))
})
