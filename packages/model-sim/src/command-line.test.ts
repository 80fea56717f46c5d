import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const COMMAND = fileURLToPath(new URL('../bin/buildscale-model-sim.mjs', import.meta.url))

function start(...args: string[]) {
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  return { child, output, ended: once(child, 'close').then(([code]) => Number(code)) }
}

it('prints one line when it is ready, answers from the script, and ends on SIGTERM', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'model-sim-'))
  const script = join(folder, 'script.json')
  await writeFile(script, JSON.stringify({ turns: [{ text: 'from the script' }] }))
  const { child, output, ended } = start('--port', '0', '--script', script)
  try {
    await once(child.stdout, 'data')
    const url = /^model-sim is ready at (http:\/\/127\.0\.0\.1:\d+\/v1)\n$/.exec(output.stdout)?.[1]
    const reply = await fetch(`${url}/responses`, { method: 'POST', body: JSON.stringify({ model: 'gpt-4o', input: 'hi' }) })
    expect(await reply.text()).toContain('from the script')
  } finally {
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    await rm(folder, { recursive: true })
  }
})

it('explains itself on --help', async () => {
  const { output, ended } = start('--help')
  expect(await ended).toBe(0)
  expect(output.stdout).toContain('--script FILE')
  for (const path of ['/v1/responses', '/v1/chat/completions', '/v1/embeddings', '/v1/messages']) expect(output.stdout).toContain(path)
})

it.each([
  [['--prot', '1'], /Unknown option '--prot'/],
  [['--port', 'abc'], /--port takes a whole number from 0 to 65535, not "abc"/],
  [['--mode', 'magic'], /--mode is one of rules, scripted, load, not "magic"/],
  [['--mode', 'scripted'], /--mode scripted needs --script FILE/],
  [['--script', '/no/such/file.json'], /cannot read the script/],
])('refuses %j with exit code 2 and a word of help', async (args, message) => {
  const { output, ended } = start(...args)
  expect(await ended).toBe(2)
  expect(output.stderr).toMatch(message)
  expect(output.stderr).toContain('--help')
  expect(output.stdout).toBe('')
})
