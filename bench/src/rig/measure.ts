/** The measuring inside one process: user and system CPU time around the same work, after a warm-up. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchClient, Lookup, LookupArguments } from './bench-client.ts'
import type { Measurement, Work } from './scenarios.ts'

type WorkOf<T extends Work['type']> = Extract<Work, { type: T }>

/** @throws Error when a client did not do all of the work */
export async function measure(client: BenchClient, work: Work): Promise<Measurement> {
  switch (work.type) {
    case 'text': return measureText(client, work)
    case 'streams': return measureStreams(client, work)
    case 'steps': return measureSteps(client, work)
    case 'memory': return measureMemory(client, work)
    case 'calls': return measureCalls(client, work)
    case 'arguments': return measureArguments(client, work)
    case 'import': throw new Error('loading a package is measured from outside')
  }
}

async function measureText(client: BenchClient, { deltas, warmUps, repeats, perSecond }: WorkOf<'text'>): Promise<Measurement> {
  // The warm-up is of the same kind: a burst and a paced stream take different paths through every client.
  const model = perSecond === undefined ? `load:text:${deltas}` : `load:text:${deltas}:${perSecond}`
  const stream = () => streamAll(client, { model, deltas })
  for (let made = 0; made < warmUps; made += 1) await stream()
  return { perDelta: (await medianOf(repeats, stream)) / deltas }
}

async function measureStreams(client: BenchClient, { streams, deltas, singles }: WorkOf<'streams'>): Promise<Measurement> {
  const oneByOne = async () => {
    for (let made = 0; made < singles; made += 1) await streamAll(client, { model: `bench:together:1:${deltas}`, deltas })
  }
  const together = () => Promise.all(Array.from({ length: streams }, () => streamAll(client, { model: `bench:together:${streams}:${deltas}`, deltas })))
  await oneByOne()
  const memoryBeforeMb = await settledMegabytes()
  const perDeltaAlone = (await cpuOf(oneByOne)) / (singles * deltas)
  const perDelta = (await cpuOf(together)) / (streams * deltas)
  return { perDelta, perDeltaAlone, memoryBeforeMb, memoryAfterMb: await settledMegabytes() }
}

async function streamAll(client: BenchClient, { model, deltas }: { readonly model: string; readonly deltas: number }): Promise<void> {
  expectCount(await client.streamText(model), deltas)
}

async function measureSteps(client: BenchClient, { steps, warmUpRuns, runs }: WorkOf<'steps'>): Promise<Measurement> {
  for (let made = 0; made < warmUpRuns; made += 1) await runSteps(client, steps)
  const measured: ReturnType<typeof stepFigures>[] = []
  for (let made = 0; made < runs; made += 1) measured.push(stepFigures(await stepCosts(client, steps)))
  const middle = (figure: keyof ReturnType<typeof stepFigures>) => middleOf(measured.map((run) => run[figure]))
  return { perStep20: middle('perStep20'), perStep100: middle('perStep100'), perStepAll: middle('perStepAll'), growthPer100: middle('growthPer100'), lastToFirst: middle('lastToFirst') }
}

/** What one run says: `costs` of its steps, in their order. */
function stepFigures(costs: readonly number[]) {
  const tail = Math.min(20, costs.length)
  return {
    perStep20: mean(costs.slice(0, 20)),
    perStep100: mean(costs.slice(0, 100)),
    perStepAll: mean(costs),
    growthPer100: slope(costs) * 100,
    lastToFirst: mean(costs.slice(-tail)) / mean(costs.slice(0, tail)),
  }
}

/** The CPU time of each step, from its call of the tool to the next one's; of the last to the end of the run. */
async function stepCosts(client: BenchClient, steps: number): Promise<readonly number[]> {
  const marks: number[] = []
  await runSteps(client, steps, (given) => {
    marks.push(cpuTime())
    return lookUp(given)
  })
  marks.push(cpuTime())
  return Array.from({ length: steps }, (_, index) => (marks[index + 1] ?? 0) - (marks[index] ?? 0))
}

async function runSteps(client: BenchClient, steps: number, lookup: Lookup = lookUp): Promise<void> {
  expectCount(await client.runSteps(`load:steps:${steps}`, lookup), steps)
}

async function measureMemory(client: BenchClient, { steps }: WorkOf<'memory'>): Promise<Measurement> {
  await runSteps(client, steps)
  return { peakMb: peakMegabytes() }
}

async function measureCalls(client: BenchClient, { calls, runs, warmUps, repeats }: WorkOf<'calls'>): Promise<Measurement> {
  const repeat = async () => {
    for (let made = 0; made < runs; made += 1) expectCount(await client.runSteps(`bench:parallel:${calls}`, lookUp), calls)
  }
  for (let made = 0; made < warmUps; made += 1) await repeat()
  return { perCall: (await medianOf(repeats, repeat)) / (runs * calls) }
}

async function measureArguments(client: BenchClient, { deltas, chars, runs }: WorkOf<'arguments'>): Promise<Measurement> {
  let longest = ''
  const run = async (pieces: number) => {
    let received = ''
    const calls = await client.runSteps(`bench:arguments:${pieces}:${chars}`, ({ reason }) => {
      received = reason
      return 'Received.'
    })
    expectCount(calls, 1)
    if (received.length * 1.2 < pieces * chars) throw new Error(`the tool was given ${received.length} characters of about ${pieces * chars}`)
    longest = received
  }
  const quarter = Math.ceil(deltas / 4)
  for (let made = 0; made < 2; made += 1) await run(quarter)
  const quarterMs = (await medianOf(runs, () => run(quarter))) / 1000
  const wholeMs = (await medianOf(runs, () => run(deltas))) / 1000
  const text = JSON.stringify({ step: 0, path: '', reason: longest })
  return { wholeMs, quarterMs, oneParseMs: (await medianOf(runs, async () => void JSON.parse(text))) / 1000 }
}

/** CPU microseconds of the middle one of several times the same work. */
async function medianOf(times: number, work: () => Promise<unknown>): Promise<number> {
  const costs: number[] = []
  for (let made = 0; made < times; made += 1) costs.push(await cpuOf(work))
  return middleOf(costs)
}

function middleOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function lookUp({ path }: LookupArguments): string {
  return `${path} holds ${path.length * 7} lines, most of them about how files are kept as versions and never lost.`
}

async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = cpuTime()
  await work()
  return cpuTime() - before
}

/** Microseconds of CPU time that this process has used, its helper threads included. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** What is still referenced, in megabytes: after the ends of connections have come through and the collector has run. */
async function settledMegabytes(): Promise<number> {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('needs --expose-gc')
  for (let pass = 0; pass < 3; pass += 1) {
    await sleep(100)
    await gc({ execution: 'async', type: 'major' })
  }
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 1_000_000
}

/** The peak of resident memory in megabytes. Linux lets a process inherit its parent's figure in `maxRSS`, but not in its own status. */
function peakMegabytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS / 1000
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return (Number(kilobytes) * 1024) / 1_000_000
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** By how much `values` grow from one place to the next: the line of least squares. Zero for less than two. */
export function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const average = mean(values)
  const above = values.reduce((sum, value, index) => sum + (index - middle) * (value - average), 0)
  const below = values.reduce((sum, _, index) => sum + (index - middle) ** 2, 0)
  return below === 0 ? 0 : above / below
}

function expectCount(found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`expected ${wanted} deltas or calls, got ${found}`)
}
