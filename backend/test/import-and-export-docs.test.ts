import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApp, startApp } from './support/running-app.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
const page = readFileSync(join(ROOT, 'docs/import-and-export.md'), 'utf8')
const run = promisify(execFile)

let app: RunningApp
const folder = mkdtempSync(join(tmpdir(), 'buildscale-docs-'))
beforeAll(async () => {
  app = await startApp()
})
afterAll(async () => {
  await app[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const snippets = (language: string): string[] => [...page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map((match) => match[1] ?? '')

async function inShell(script: string): Promise<string> {
  const command = `"${process.execPath}" "${join(ROOT, 'cli/src/main.ts')}"`
  const env = { PATH: process.env['PATH'] ?? '', BUILDSCALE_URL: app.url, BUILDSCALE_TOKEN: app.token, API: `${app.url}/api/v1/workspaces/${app.workspaceId}` }
  const { stdout } = await run('sh', ['-ec', script.replaceAll('npx buildscale', command)], { cwd: folder, env })
  return stdout
}

describe('the snippets of docs/import-and-export.md', { timeout: 60_000 }, () => {
  it('do what the page says', async () => {
    const [commands = '', requests = ''] = snippets('sh')
    const [program = ''] = snippets('js')
    expect(await inShell(commands)).toBe('imported 2 files, 19 bytes, 0 skipped\nimg/\nimg/note.txt\nindex.md\n')
    const answers = await inShell(requests)
    expect(answers).toContain('{"imported":2,"unchanged":0,"bytes":19,"skipped_count":0,"skipped":[],"change_set_id":"')
    expect(answers).toContain('}img/\nimg/note.txt\nindex.md\n{"imported":1,')
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd: join(ROOT, 'cli'), env: { PATH: process.env['PATH'] ?? '', BUILDSCALE_URL: app.url, BUILDSCALE_TOKEN: app.token } })
    expect(stdout).toBe('2\n2 []\n')
    expect(Buffer.from(await (await app.client.files(app.workspaceId).content('/again/index.md')).bytes()).toString()).toBe('# Hello\r\n')
  })
})
