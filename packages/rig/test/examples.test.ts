import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { startModelSim, type ModelSim } from '@buildscale/model-sim'
import { afterAll, beforeAll, expect, it } from 'vitest'

const EXAMPLES = join(import.meta.dirname, '..', 'examples')
/** Of each example, what a model would say, and what is printed then. */
interface Session {
  readonly example: string
  readonly turns: readonly object[]
  readonly printed: string
}

const say = (words: string, more: object = {}) => ({ text: words, ...more })
const call = (name: string, args: object, more: object = {}) => ({ calls: [{ name, arguments: args }], ...more })
const usage = { input_tokens: 20, output_tokens: 5 }

const SESSIONS: readonly Session[] = [
  { example: 'hello', turns: [say('A record of what happened.')], printed: 'A record of what happened.\n' },
  { example: 'streaming', turns: [say('Wide and blue.', { usage })], printed: 'Wide and blue.\n5 tokens\n' },
  {
    example: 'tools',
    turns: [
      { calls: [{ name: 'divide', arguments: { x: 3, y: 0 } }, { name: 'add', arguments: { x: 1, y: 2 } }] },
      say('Nothing can be divided by 0; 1 + 2 is 3.', { when: { contains: ['y must not be 0'] } }),
    ],
    printed: 'divide({"x":3,"y":0}): error\nadd({"x":1,"y":2}): success\nNothing can be divided by 0; 1 + 2 is 3.\n',
  },
  {
    example: 'chat',
    turns: [say('Something repeated.'), say('Ada.', { when: { contains: ['My name is Ada', 'Something repeated.'] } })],
    printed: '> My name is Ada. What is a loop?\nSomething repeated.\n> And what is my name?\nAda.\n4 messages\n',
  },
  {
    example: 'extraction',
    turns: [call('submit', { number: 'A-17' }, { usage }), call('submit', { number: 'A-17', total: 120, due: '2026-03-02' }, { usage })],
    printed: 'A-17: 120.00 EUR, due 2026-03-02 (50 tokens)\n',
  },
  {
    example: 'agent-as-tool',
    turns: [
      call('translator', { prompt: 'Hello Ada' }, { when: { model: 'gpt-5.2', step: 0 } }),
      say('Bonjour Ada', { when: { model: 'gpt-5-mini', contains: 'Hello Ada' } }),
      say('In French: Bonjour Ada!', { when: { model: 'gpt-5.2', step: 1, contains: 'Bonjour Ada' } }),
    ],
    printed: 'In French: Bonjour Ada!\n2 model calls of the writer\n',
  },
  {
    example: 'rag',
    turns: [say('It is a farming tool.', { when: { contains: 'A glarb is a farming tool' } })],
    printed: 'found: A glarb is a farming tool used by the ancestors of the inhabitants of planet Jiro.\nIt is a farming tool.\n',
  },
  {
    example: 'mcp',
    turns: [call('counter_count', { by: 2 }), say('It is at 2 now.', { when: { contains: 'The counter is at 2.' } })],
    printed: 'tools: counter_count\nIt is at 2 now.\n',
  },
  {
    example: 'switch-provider',
    turns: [
      { reasoning: 'A clock is there.', calls: [{ name: 'clock', arguments: {} }], when: { wire: 'responses', step: 0 } },
      say('Half past nine.', { when: { wire: 'responses', contains: 'half past nine' } }),
      say('Half past ten.', { when: { wire: 'messages', contains: ['half past nine', 'Half past nine.'] } }),
    ],
    printed: 'Half past nine.\nHalf past ten.\nopenai: reasoning, tool_call\nopenai: text\nanthropic: text\n',
  },
]

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rig-examples-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

it.each(SESSIONS)('the example $example runs and prints what it promises', async ({ example, turns, printed }) => {
  await using sim = await simulation(turns)
  expect(await run(example, [], sim)).toBe(printed)
})

it('the example approval waits in a file and goes on in another process, as decided', async () => {
  for (const [decision, contains, answer] of [['approve', 'Paid 20 EUR to Bob.', 'Bob has his money.'], ['refuse', 'The user refused', 'I did not pay.']] as const) {
    await using sim = await simulation([call('pay', { to: 'Bob', amount: 20 }), say(answer, { when: { contains } })])
    const file = join(folder, `${decision}.json`)
    expect(await run('approval', ['ask', file], sim)).toBe('waiting: pay({"to":"Bob","amount":20})\n')
    expect(await run('approval', [decision, file], sim)).toBe(`${answer}\n`)
  }
})

it('every example is run here', () => {
  const files = readdirSync(EXAMPLES).filter((name) => name.endsWith('.ts')).map((name) => name.slice(0, -3))
  expect(files.toSorted()).toEqual([...SESSIONS.map(({ example }) => example), 'approval', 'mcp-server'].toSorted())
})

async function simulation(turns: readonly object[]): Promise<ModelSim & AsyncDisposable> {
  const sim = await startModelSim({ script: { turns }, models: 'any' })
  return { ...sim, [Symbol.asyncDispose]: () => sim.close() }
}

/** Runs an example as a program of its own; what it prints. Fails when it does. */
async function run(example: string, args: readonly string[], { url }: ModelSim): Promise<string> {
  const env = { PATH: process.env['PATH'], OPENAI_BASE_URL: url, ANTHROPIC_BASE_URL: url }
  const child = spawn(process.execPath, [join(EXAMPLES, `${example}.ts`), ...args], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, problems, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  expect({ code, problems }).toEqual({ code: 0, problems: '' })
  return output
}
