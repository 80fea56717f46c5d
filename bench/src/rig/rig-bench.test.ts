import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { growth, median, rigReport, type Measurements } from './rig-report.ts'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

async function bench(...args: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  try {
    return { ...(await promisify(execFile)(process.execPath, [MAIN, ...args])), code: 0 }
  } catch (error) {
    return error as { stdout: string; stderr: string; code: number }
  }
}

describe('npm run bench -- rig', () => {
  it('measures without peers and ends with one line of JSON holding finite figures', async () => {
    const { stdout, code } = await bench('rig', '--json', '--without-peers', '--rounds', '1', '--deltas', '200', '--paced-deltas', '20', '--steps', '2,4,8', '--window', '2', '--total-steps', '8')
    expect(code).toBe(0)
    const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as object
    const positive = expect.toSatisfy((value: unknown) => Number.isFinite(value) && Number(value) > 0) as number
    const figures = { ours: positive, raw: positive, openai: null, ai: null }
    expect(report).toEqual({
      per_delta_us: { burst: figures, paced: figures },
      per_step_us: figures,
      ratio_to_raw: positive,
      ratio_to_ai: null,
      step_ratio_to_raw: positive,
      step_growth: positive,
    })
  })

  it('explains itself and refuses what it does not know with exit code 2', async () => {
    expect((await bench('--help')).stdout).toContain('rig')
    expect((await bench('rig', '--help')).stdout).toContain('--without-peers')
    expect(await bench('rug')).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no bench "rug"') })
    expect(await bench('rig', '--steps', '5')).toMatchObject({ code: 2, stderr: expect.stringContaining('--steps takes three numbers') })
  })
})

describe('the report', () => {
  const of = (perUnit: number, first = 0, last = 0) => ({ perUnit, first, last })
  const MEASUREMENTS: Measurements = new Map([
    ['burst', new Map([['ours', [of(4), of(6), of(5)]], ['raw', [of(4), of(4), of(4)]], ['ai', [of(50), of(40), of(60)]]])],
    ['steps-100', new Map([['ours', [of(900)]], ['raw', [of(600)]]])],
    ['steps-300', new Map([['ours', [of(1, 100, 150), of(1, 100, 900), of(1, 100, 130)]], ['raw', [of(1, 100, 120)]]])],
  ])

  it('takes medians over the rounds and ratios of medians', () => {
    const report = rigReport(MEASUREMENTS, { ratio: 100, growth: 300 })
    expect(report.per_delta_us.burst).toEqual({ ours: 5, raw: 4, openai: null, ai: 50 })
    expect(report).toMatchObject({ ratio_to_raw: 1.25, ratio_to_ai: 10, step_ratio_to_raw: 1.5, step_growth: 1.25 })
  })

  it('compares the last steps with the first', () => {
    expect(growth(MEASUREMENTS, { work: 'steps-300', client: 'ours' })).toBe(1.5)
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, null])
  })
})
