import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { type Measure, MEASURES } from './files-measurement.ts'
import { filesReport } from './files-report.ts'
import { filesTable } from './files-table.ts'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

/** For what the bench keeps while it runs, so that what is left behind is seen. */
const FOLDER = mkdtempSync(join(tmpdir(), 'files-bench-test-'))
chmodSync(FOLDER, 0o755)
afterAll(() => rmSync(FOLDER, { recursive: true }))

async function bench(...args: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  try {
    return { ...(await promisify(execFile)(process.execPath, [MAIN, 'files', ...args])), code: 0 }
  } catch (error) {
    return error as { stdout: string; stderr: string; code: number }
  }
}

describe('npm run bench -- files', { timeout: 240_000 }, () => {
  it('measures everything beside its peers, ends with one line of JSON and leaves nothing behind', async () => {
    const { stdout, stderr, code } = await bench('--json', '--quick', '--folder', FOLDER)
    expect(code, stderr).toBe(0)
    const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { p50_ms: Record<Measure, number | null>; gates: { name: string }[]; is_quick: boolean }
    expect(Object.keys(report.p50_ms)).toEqual([...MEASURES])
    for (const [measure, value] of Object.entries(report.p50_ms)) expect(value, measure).toBeGreaterThan(0)
    expect(report).toMatchObject({ is_quick: true, gates: { length: 8 } })
    expect(readdirSync(FOLDER)).toEqual([])
  })

  it('ends early when it is told to, with its server, and leaves nothing behind', async () => {
    const child = spawn(process.execPath, [MAIN, 'files', '--quick', '--folder', FOLDER], { stdio: ['ignore', 'ignore', 'pipe'] })
    await once(child.stderr, 'data')
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([1, null])
    expect(readdirSync(FOLDER)).toEqual([])
  })

  it('explains itself and refuses what it does not know with exit code 2', async () => {
    expect((await bench('--help')).stdout).toMatch(/ripgrep[^]*--gate/)
    expect(await bench('--imports', '0')).toMatchObject({ code: 2, stderr: expect.stringContaining('--imports takes a positive whole number') })
    expect(await bench('--fast')).toMatchObject({ code: 2 })
  })
})

describe('the report', () => {
  const VALUES: Partial<Record<Measure, readonly number[]>> = { import: [5_000, 8_000, 10_000], write: [4, 6, 5], fsync: [2, 1, 3], git: [20], grep: [120], ripgrep: [100] }
  const report = filesReport({ of: (measure) => VALUES[measure] ?? [] }, { tree: 20_000 })

  it('takes medians and holds their ratios to limits; what was not measured has none', () => {
    const gates = Object.fromEntries(report.gates.map(({ name, value, ok }) => [name, [value, ok]]))
    expect(gates).toEqual({ write_to_fsync: [2.5, true], git_to_write: [4, false], grep_to_ripgrep: [1.2, true], imported_files_per_second: [2_500, true] })
    expect([report.p50_ms.write, report.p50_ms['ls-large'], report.count.write]).toEqual([5, null, 3])
  })

  it('is a table for people, with what failed marked', () => {
    expect(filesTable(report)).toMatch(/tool grep over that tree +120 +1/)
    expect(filesTable(report)).toMatch(/FAIL {2}git_to_write +4\.00 {2}at least 5/)
  })
})
