import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CLIENT_NAMES, type ClientName } from './bench-client.ts'
import { slope } from './measure.ts'
import { answerFrames, parsePlan } from './prepared-answers.ts'
import { startPreparedServer, type PreparedServer } from './prepared-server.ts'
import { createClient } from './raw-client.ts'
import { planOf, type Measurements } from './rig-bench.ts'
import { median, rigReport } from './rig-report.ts'
import { rigTable } from './rig-table.ts'
import { SCENARIO_NAMES, type Measurement, type ScenarioName } from './scenarios.ts'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

/** For temporary files, so that what is left behind is seen. */
const FOLDER = mkdtempSync(join(tmpdir(), 'bench-test-'))
const ENV = { ...process.env, TMPDIR: FOLDER }
afterAll(() => rmSync(FOLDER, { recursive: true }))

async function bench(...args: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  try {
    return { ...(await promisify(execFile)(process.execPath, [MAIN, ...args], { env: ENV })), code: 0 }
  } catch (error) {
    return error as { stdout: string; stderr: string; code: number }
  }
}

/** Some twenty processes, each loading a program. */
const SLOW = { timeout: 180_000 }

describe('npm run bench -- rig', SLOW, () => {
  it('measures every scenario without peers and ends with one line of JSON holding finite figures and the limits', async () => {
    const { stdout, stderr, code } = await bench('rig', '--json', '--no-peers', '--rounds', '1', '--quick')
    expect(code, stderr).toBe(0)
    const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { scenarios: Record<string, { values: Record<string, Record<string, number | null>> }>; gates: object[] }
    expect(Object.keys(report.scenarios)).toEqual([...SCENARIO_NAMES])
    for (const { values } of Object.values(report.scenarios)) {
      expect(Object.keys(values)).not.toEqual([])
      for (const { ours, openai, pi } of Object.values(values)) expect([Number.isFinite(ours), openai, pi]).toEqual([true, null, null])
    }
    const positive = expect.toSatisfy((value: unknown) => Number.isFinite(value) && Number(value) > 0) as number
    expect(report).toMatchObject({ per_step_us: { ours: positive, raw: positive, ai: null }, ratio_to_raw: positive, ratio_to_ai: null, step_ratio_to_raw: positive })
    expect(report.gates).toHaveLength(12)
    expect(report.gates[0]).toEqual({ name: 'burst_to_raw', value: positive, limit: 1.4, bound: 'at most', ok: expect.any(Boolean) })
    expect(stderr).toContain('round 1/1  burst')
    expect(readdirSync(FOLDER)).toEqual([])
  })

  it('measures only what is asked for', async () => {
    const { stdout } = await bench('rig', '--json', '--without-peers', '--rounds', '1', '--quick', '--only', 'parallel,arguments')
    const report = JSON.parse(stdout) as { scenarios: object; gates: { name: string }[] }
    expect(Object.keys(report.scenarios)).toEqual(['parallel', 'arguments'])
    expect(report.gates.map(({ name }) => name)).toEqual(['parallel_call_to_raw', 'large_arguments_to_raw', 'large_arguments_4_mb_to_1_mb'])
  })

  it('ends early when it is told to, and leaves no file behind', async () => {
    const child = spawn(process.execPath, [MAIN, 'rig', '--no-peers', '--only', 'paced'], { stdio: ['ignore', 'ignore', 'pipe'], env: ENV })
    await once(child.stderr, 'data')
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([1, null])
    expect(readdirSync(FOLDER)).toEqual([])
  })

  it('explains itself and refuses what it does not know with exit code 2', async () => {
    expect((await bench('--help')).stdout).toContain('rig')
    expect((await bench('rig', '--help')).stdout).toMatch(/--no-peers[^]*--gate/)
    expect(await bench('rug')).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no bench "rug"') })
    expect(await bench('rig', '--only', 'burst,speed')).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no scenario "speed"') })
    expect(await bench('rig', '--rounds', '0')).toMatchObject({ code: 2, stderr: expect.stringContaining('--rounds takes a positive whole number') })
  })
})

describe('the plan', () => {
  it('begins with another client in each round and lets peers take part in the first rounds only', () => {
    const plan = planOf({ scenarios: ['burst'], clients: CLIENT_NAMES, rounds: 3, peerRounds: 1, isQuick: false })
    const order = [1, 2, 3].map((round) => plan.filter((turn) => turn.round === round).map(({ client }) => client))
    expect(order).toEqual([['raw', 'openai', 'ai', 'agents', 'langchain', 'pi', 'ours'], ['ours', 'raw'], ['raw', 'ours']])
  })

  it('leaves out clients that a scenario is not for', () => {
    const plan = planOf({ scenarios: ['arguments'], clients: CLIENT_NAMES, rounds: 1, peerRounds: 1, isQuick: false })
    expect(plan.map(({ client }) => client)).toEqual(['raw', 'openai', 'ours'])
  })
})

describe('the report', () => {
  const MEASUREMENTS: Measurements = new Map<ScenarioName, Map<ClientName, readonly Measurement[]>>([
    ['burst', new Map<ClientName, readonly Measurement[]>([
      ['ours', [{ perDelta: 4 }, { perDelta: 6 }, { perDelta: 5 }]],
      ['raw', [{ perDelta: 4 }]],
      ['ai', [{ perDelta: 50 }, { perDelta: 40 }, { perDelta: 60 }]],
    ])],
    ['steps', new Map<ClientName, readonly Measurement[]>([
      ['ours', [{ perStep100: 700, perStepAll: 900, growthPer100: 90, lastToFirst: 1.5 }]],
      ['raw', [{ perStep100: 500, perStepAll: 600, growthPer100: 30, lastToFirst: 1.2 }]],
      ['ai', [{ perStepAll: 4000 }]],
    ])],
  ])

  it('takes medians over the rounds and ratios of medians', () => {
    const report = rigReport(MEASUREMENTS)
    expect(report.per_delta_us.burst).toMatchObject({ ours: 5, raw: 4, openai: null, ai: 50 })
    expect(report).toMatchObject({ ratio_to_raw: 1.25, ratio_to_ai: 10, step_ratio_to_raw: 1.5, step_growth: 1.25 })
    expect(report.scenarios.burst).toMatchObject({ ratio_to_raw: { ours: 1.25, ai: 12.5, pi: null }, ratio_to_ours: { raw: 0.8, ai: 10 } })
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, null])
  })

  it('holds ours to limits beside the raw loop, and peers to a distance from ours', () => {
    const gates = Object.fromEntries(rigReport(MEASUREMENTS).gates.map(({ name, value, ok }) => [name, [value, ok]]))
    expect(gates).toEqual({
      burst_to_raw: [1.25, true],
      step_to_raw: [1.5, false],
      step_of_first_100_to_raw: [1.4, false],
      growth_us_per_100_steps_above_raw: [60, false],
      burst_of_ai_to_ours: [10, true],
      step_of_ai_to_ours: [4.444, false],
    })
  })

  it('is a table for people, with what failed marked', () => {
    const table = rigTable(rigReport(MEASUREMENTS), ['ours', 'raw'])
    expect(table).toMatch(/µs per delta +5\.00 +4\.00/)
    expect(table).toMatch(/FAIL {2}step_to_raw +1\.50 {2}at most 1\.3/)
  })

  it('takes growth from the line of least squares', () => {
    expect(slope([10, 12, 14, 16])).toBeCloseTo(2)
    expect([slope([5]), slope([3, 3, 3])]).toEqual([0, 0])
  })
})

describe('the server of prepared bytes', () => {
  let server: PreparedServer
  beforeEach(async () => {
    server = await startPreparedServer()
  })
  afterEach(() => server.close())

  it('asks for all calls in one turn, then answers with a text', async () => {
    const paths: string[] = []
    const made = await createClient(server.url).runSteps('bench:parallel:3', ({ path }) => {
      paths.push(path)
      return 'found'
    })
    expect([made, paths]).toEqual([3, ['/src/folder/file-0.ts', '/src/folder/file-1.ts', '/src/folder/file-2.ts']])
  })

  it('sends arguments in exactly the deltas that were asked for', () => {
    const frames = answerFrames({ type: 'arguments', deltas: 40, chars: 100 }, false)
    const events = frames.map((frame) => JSON.parse(frame.slice(frame.indexOf('data: ') + 6)) as { type: string; delta: string; arguments: string })
    const deltas = events.filter(({ type }) => type === 'response.function_call_arguments.delta').map(({ delta }) => delta)
    expect(deltas.map((delta) => delta.length)).toEqual(Array.from({ length: 40 }, () => 100))
    expect(events.find(({ type }) => type === 'response.function_call_arguments.done')?.arguments).toBe(deltas.join(''))
    expect((JSON.parse(deltas.join('')) as { reason: string }).reason).toContain('compute("the text of a line"')
  })

  it('lets no stream begin before all have come', async () => {
    const client = createClient(server.url)
    let begun = 0
    const first = client.streamText('bench:together:2:30').then((deltas) => {
      begun += 1
      return deltas
    })
    await client.streamText('bench:together:1:5')
    expect(begun).toBe(0)
    expect([await client.streamText('bench:together:2:30'), await first]).toEqual([30, 30])
  })

  it('knows no other names', async () => {
    expect(parsePlan('load:text:5')).toBeUndefined()
    await expect(createClient(server.url).streamText('bench:nothing:1')).rejects.toThrow('status 404')
  })
})
