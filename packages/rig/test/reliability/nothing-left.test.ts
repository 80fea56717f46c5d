import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { startModelSim } from '@buildscale/model-sim'
import { describe, expect, it } from 'vitest'
import { startMcpHttpServer } from '../mcp-http-server.ts'
import { httpAnswer, sends, startRawServer } from './raw-server.ts'

const PROGRAM = fileURLToPath(new URL('programs/end-calls-early.ts', import.meta.url))
const ONE_CALL = fileURLToPath(new URL('programs/one-call.ts', import.meta.url))
const CALLS = Number(process.env['ENDED_CALLS'] ?? 2000)

const SPEECH = 'word '.repeat(60)
const answer = (lastUser: string, turn: object) => ({ when: { last_user: lastUser }, times: 'always', ...turn })

const SCRIPT = {
  turns: [
    answer('slow', { text: SPEECH, event_delay_ms: 2 }),
    answer('late', { text: SPEECH, delay_ms: 400 }),
    answer('stall', { text: SPEECH, stall_after_events: 6 }),
    answer('busy', { http_error: { status: 503 } }),
    answer('refuse', { http_error: { status: 400 } }),
    answer('cut', { text: SPEECH, cut_after_events: 8, cut_by: 'reset' }),
    answer('flood', { text: 'word '.repeat(3000) }),
    answer('tool', { calls: [{ name: 'linger', arguments: {} }] }),
    answer('remote', { calls: [{ name: 'wait', arguments: {} }] }),
  ],
}

/** What the program says in the end. */
interface Report {
  readonly problems: readonly string[]
  readonly left: readonly string[]
  /** How many still listen to the one signal that was never aborted. */
  readonly listeners: number
  readonly grownBytes: number
  readonly ends: Readonly<Record<string, Readonly<Record<string, number>>>>
}

interface Ended {
  readonly output: string
  readonly errors: string
  readonly code: number | null
  /** From its last word to its end, in milliseconds. */
  readonly endedAfterMs: number
}

async function run(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, ['--expose-gc', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let saidAt = performance.now()
  child.stdout.on('data', () => (saidAt = performance.now()))
  const timer = setTimeout(() => child.kill('SIGKILL'), 100_000)
  const closed = once(child, 'close')
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  await closed
  clearTimeout(timer)
  return { output, errors, code: child.exitCode, endedAfterMs: performance.now() - saidAt }
}

describe('A process', () => {
  it('has nothing left of two thousand calls that were aborted, failed or given up', async () => {
    const sim = await startModelSim({ script: SCRIPT, models: 'any' })
    await using mcp = await startMcpHttpServer()
    try {
      const { output, errors, code, endedAfterMs } = await run(PROGRAM, sim.origin, mcp.url, String(CALLS))
      expect({ errors, code }).toEqual({ errors: '', code: 0 })
      const { problems, left, listeners, grownBytes, ends } = JSON.parse(output) as Report
      expect({ problems, left, listeners }).toEqual({ problems: [], left: [], listeners: 0 })
      expect(grownBytes).toBeLessThan(4_000_000)
      expect(endedAfterMs).toBeLessThan(3000)
      const ways = new Set(Object.values(ends).flatMap((ended) => Object.keys(ended)))
      for (const end of ['aborted', 'provider_response', 'truncated_stream', 'timeout', 'PromptCancelledError', 'ended well']) expect(ways).toContain(end)
      expect(mcp.sessions.flatMap(({ cancellations }) => cancellations).length).toBeGreaterThan(0)
    } finally {
      await sim.close()
    }
  }, 120_000)

  it.each(['responses', 'chat', 'messages'])('ends by itself after a call on %s, though its connection is kept', async (wire) => {
    await using server = await startRawServer(sends(httpAnswer(400, '{"error":{"message":"No."}}')))
    const { output, errors, code, endedAfterMs } = await run(ONE_CALL, wire, server.origin)
    expect({ output, errors, code }).toEqual({ output: 'provider_response\n', errors: '', code: 0 })
    expect(endedAfterMs).toBeLessThan(2000)
  })
})
