import { createClient } from '@buildscale/sdk'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runServerToItsEnd, type ServerProcess, startServerProcess, temporaryDataDir } from './support/server-process.ts'

const CLI = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url))

/** The command line as a person runs it. */
async function buildscale(server: ServerProcess, ...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [CLI, ...args], { env: { PATH: process.env['PATH'], BUILDSCALE_URL: server.url, BUILDSCALE_TOKEN: server.token }, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** A source tree in which one file defines what is searched for. */
function plantTree(root: string, files: number): void {
  for (let index = 0; index < files; index++) {
    const folder = join(root, `module-${index % 40}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `file-${index}.ts`), `export const value${index} = ${index}\r\n// naïve ✓ without a newline at the end`)
  }
  writeFileSync(join(root, 'module-7', 'scheduler.ts'), "import { clock } from './clock.ts'\n\nexport class TaskScheduler {\n  run(): void {\n    clock()\n  }\n}\n")
}

describe('a first session, on the embedded database and the offline model', () => {
  it('imports a source tree, finds a definition in it, and leaves a file with a version, a tool call and a whole history', { timeout: 120_000 }, async () => {
    using data = temporaryDataDir()
    using tree = temporaryDataDir()
    plantTree(tree.path, 300)
    const server = await startServerProcess({ dataDir: data.path })
    const imported = await buildscale(server, 'import', tree.path, '--to', '/src')
    expect(imported.stdout).toMatch(/imported 301 files, \d+ bytes, 0 skipped/)

    const ran = await buildscale(server, 'run', 'find where TaskScheduler is defined and write a summary to /notes.md', '--json')
    expect(ran.code).toBe(0)
    const lines = ran.stdout.trim().split('\n').map((line) => JSON.parse(line) as { type: string; chat_id?: string; turn_id?: string; status?: string; data?: { tool?: string } })
    const result = lines.at(-1)
    expect(result).toMatchObject({ type: 'result', status: 'done' })
    expect(lines.filter((line) => line.type === 'call').map((line) => line.data?.tool)).toEqual(expect.arrayContaining(['grep', 'read', 'write']))

    const client = createClient({ url: server.url, token: server.token })
    const workspaceId = (await client.me()).workspaces[0]?.id ?? ''
    const { items: versions } = await client.files(workspaceId).versions('/notes.md')
    const turn = await client.chats(workspaceId).turn(result?.turn_id ?? '')
    expect(versions).toMatchObject([{ number: 1, turn_id: turn.id, author: { kind: 'agent' } }])
    expect(turn.tool_calls.find((call) => call.tool === 'write')?.call_id).toBe(versions[0]?.tool_call_id)
    const written = turn.tool_calls.find((call) => call.tool === 'write')?.args as { content: string }
    expect(written.content).toContain('/src/module-7/scheduler.ts')
    expect(readFileSync(join(data.path, 'workspaces', workspaceId, 'notes.md'), 'utf8')).toBe(written.content)
    expect(readFileSync(join(data.path, 'workspaces', workspaceId, 'src/module-3/file-3.ts'), 'utf8')).toBe('export const value3 = 3\r\n// naïve ✓ without a newline at the end')
    const { items: messages } = await client.chats(workspaceId).messages(result?.chat_id ?? '')
    expect(messages.map((message) => [message.role, message.status])).toEqual([['user', 'complete'], ['assistant', 'complete']])
    expect((await buildscale(server, 'doctor', '--deep')).code).toBe(0)
    expect(await server.end('SIGTERM')).toBe(0)
  })

  it('works on the same data after a stop, and after a kill of everything', { timeout: 120_000 }, async () => {
    using data = temporaryDataDir()
    const first = await startServerProcess({ dataDir: data.path })
    expect((await buildscale(first, 'run', 'create /kept.md with the text "still here"')).code).toBe(0)
    expect(await first.end('SIGTERM')).toBe(0)

    const second = await startServerProcess({ dataDir: data.path })
    const { postgres_pid: postgresPid } = JSON.parse(readFileSync(join(data.path, 'server.json'), 'utf8')) as { postgres_pid: number }
    expect(postgresPid).toBeGreaterThan(1)
    await second.end('SIGKILL')
    process.kill(postgresPid, 'SIGKILL')

    await using third = await startServerProcess({ dataDir: data.path })
    const read = await buildscale(third, 'run', 'read /kept.md')
    expect(read.stdout).toContain('still here')
    expect((await buildscale(third, 'doctor')).code).toBe(0)
  })

  it('refuses a second server on the same data, naming where the first one is, and leaves it alone', { timeout: 60_000 }, async () => {
    using data = temporaryDataDir()
    await using first = await startServerProcess({ dataDir: data.path })
    const second = await runServerToItsEnd({ dataDir: data.path })
    expect(second).toMatchObject({ code: 1, stdout: '' })
    expect(second.stderr).toContain(`already running at ${first.url}`)
    expect((await buildscale(first, 'doctor')).code).toBe(0)
  })
})

describe('a start that cannot work', () => {
  it.each([
    [{ PORT: 'http' }, 2, 'PORT'],
    [{ DATABASE_URL: 'mysql://x' }, 2, 'DATABASE_URL'],
    [{ BUILDSCALE_MODEL: 'anthropic:claude' }, 2, 'BUILDSCALE_MODEL'],
    [{ DATABASE_URL: 'postgresql://127.0.0.1:1/none' }, 1, 'database'],
  ])('%j ends with code %i and names %s', { timeout: 60_000 }, async (env, code, named) => {
    using data = temporaryDataDir()
    const ended = await runServerToItsEnd({ dataDir: data.path, env })
    expect(ended.code).toBe(code)
    expect(ended.stdout).toBe('')
    expect(ended.stderr).toContain(named)
  })
})
