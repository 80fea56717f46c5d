import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startResponsesServer, type Reply } from './responses-server.ts'

const PACKAGE = join(import.meta.dirname, '..')

/** The snippets that the README marks as executed, in order. */
const SNIPPETS = [...readFileSync(join(PACKAGE, 'README.md'), 'utf8').matchAll(/<!-- executed [^>]*-->\n```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')

const usage = { input_tokens: 4, output_tokens: 3, total_tokens: 7 }
const message = (text: string) => ({ type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text, annotations: [] }] })
const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"Turin"}', status: 'completed' }
const response = (output: readonly object[]) => ({ id: 'resp_1', object: 'response', status: 'completed', model: 'gpt-4o', output, usage })

const answered = (text: string): Reply => ({ type: 'json', status: 200, body: JSON.parse(JSON.stringify(response([message(text)]))) })
const streamed = (item: object, delta?: string): Reply => ({
  type: 'events',
  events: [
    { type: 'response.output_item.added', output_index: 0, item: { ...item, content: [], arguments: '' } },
    ...(delta === undefined ? [] : [{ type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta }]),
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: response([item]) },
  ],
})

/** Runs a snippet as a program of its own, inside the package so that its imports resolve. */
async function run(snippet: string, baseUrl: string): Promise<string> {
  const folder = mkdtempSync(join(PACKAGE, 'test', 'readme-'))
  try {
    writeFileSync(join(folder, 'snippet.ts'), snippet)
    const child = spawn(process.execPath, [join(folder, 'snippet.ts')], { env: { PATH: process.env['PATH'], OPENAI_BASE_URL: baseUrl }, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    await once(child, 'close')
    return output
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const SESSIONS: readonly { readonly title: string; readonly replies: readonly Reply[]; readonly printed: string }[] = [
  { title: 'says hello', replies: [answered('A record of what happened.')], printed: 'A record of what happened.\n' },
  { title: 'streams a run with a tool', replies: [streamed(call), streamed(message('Sunny.'), 'Sunny.')], printed: 'result of get_weather\nSunny.\ntokens 14\n' },
  { title: 'goes on with a stored run', replies: [streamed(message('Here.'), 'Here.')], printed: 'Here.\n' },
]

it.each(SESSIONS.map((session, index) => ({ ...session, snippet: SNIPPETS[index] ?? '' })))('the README $title', async ({ snippet, replies, printed }) => {
  expect(SNIPPETS).toHaveLength(SESSIONS.length)
  await using server = await startResponsesServer(replies)
  expect(await run(snippet, server.baseUrl)).toBe(printed)
})
