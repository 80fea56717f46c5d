/** CPU time of our runtime beside a raw loop on the same transport, the official `openai` client and `ai`. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ClientName } from './bench-client.ts'
import type { Measurement, Work } from './measure.ts'
import type { Measurements, WorkName } from './rig-report.ts'
import { parseMeasurement } from './work.ts'

export interface RigBenchSettings {
  readonly clients: readonly ClientName[]
  readonly rounds: number
  readonly burstDeltas: number
  readonly pacedDeltas: number
  readonly pacedPerSecond: number
  /** Each is a work of its own. */
  readonly steps: readonly number[]
  /** First and last steps that are compared for growth. */
  readonly window: number
  /** Steps of a warm-up, and at least as many while measuring. */
  readonly totalSteps: number
}

const MODULES: Readonly<Record<ClientName, URL>> = {
  ours: new URL('./ours-client.ts', import.meta.url),
  raw: new URL('./raw-client.ts', import.meta.url),
  openai: new URL('../../peers/openai-client.mjs', import.meta.url),
  ai: new URL('../../peers/ai-client.mjs', import.meta.url),
}

/**
 * Runs everything: in each round every work, in each work every client in turn, each in a fresh process. `progress` gets a line now and then.
 * @throws Error when a measuring process fails, with what it printed
 */
export async function runRigBench(settings: RigBenchSettings, progress: (line: string) => void): Promise<Measurements> {
  const server = await startServer()
  const results = new Map<WorkName, Map<ClientName, Measurement[]>>()
  try {
    for (let round = 1; round <= settings.rounds; round += 1) {
      for (const [name, work] of worksOf(settings)) {
        for (const client of inTurn(settings.clients, round)) {
          const measurement = await measureInProcess(client, { url: server.url, work })
          record(results, { name, client, measurement })
          progress(`round ${round}/${settings.rounds}  ${name.padEnd(9)}  ${client.padEnd(6)}  ${measurement.perUnit.toFixed(1)} µs`)
        }
      }
    }
  } finally {
    await server.close()
  }
  return results
}

function worksOf({ burstDeltas, pacedDeltas, pacedPerSecond, steps, window, totalSteps }: RigBenchSettings): readonly (readonly [WorkName, Work])[] {
  return [
    ['burst', { type: 'text', deltas: burstDeltas }],
    ['paced', { type: 'text', deltas: pacedDeltas, perSecond: pacedPerSecond }],
    ...steps.map((count) => [`steps-${count}`, { type: 'steps', steps: count, window: Math.min(window, count), total: totalSteps }] as const),
  ]
}

/** Another one begins in each round, so that none always runs on the machine that the same neighbour has left warm. */
function inTurn(clients: readonly ClientName[], round: number): readonly ClientName[] {
  const first = round % clients.length
  return [...clients.slice(first), ...clients.slice(0, first)]
}

function record(results: Map<WorkName, Map<ClientName, Measurement[]>>, entry: { readonly name: WorkName; readonly client: ClientName; readonly measurement: Measurement }): void {
  const ofWork = results.get(entry.name) ?? new Map<ClientName, Measurement[]>()
  results.set(entry.name, ofWork)
  ofWork.set(entry.client, [...(ofWork.get(entry.client) ?? []), entry.measurement])
}

async function measureInProcess(client: ClientName, { url, work }: { readonly url: string; readonly work: Work }): Promise<Measurement> {
  const program = fileURLToPath(new URL('./measure-process.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [program, MODULES[client].href, url, JSON.stringify(work)])
  return parseMeasurement(stdout)
}

/** The load server runs in a process of its own, so that its CPU time is not the client's. */
async function startServer(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const program = fileURLToPath(new URL('../../../packages/model-sim/src/main.ts', import.meta.url))
  const child = spawn(process.execPath, [program, '--port', '0', '--mode', 'load'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await readyUrl(child)
  return {
    url,
    close: async () => {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

async function readyUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the load server has no output')
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /ready at (\S+)/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new Error('the load server ended before it was ready')
}
