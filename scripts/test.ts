/** `npm test`: the checks, then every test. Arguments go to the test runner: `npm test -- backend/src/tools`. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { summaryLine } from './test-summary.ts'

const args = process.argv.slice(2)
const node = (script: string, ...rest: string[]): number => spawnSync(process.execPath, [script, ...rest], { stdio: 'inherit' }).status ?? 1

/** Runs the tests, then says how many passed and failed in one line of its own, for programs that read the output. */
function runTests(): number {
  const directory = mkdtempSync(join(tmpdir(), 'buildscale-test-report-'))
  const report = join(directory, 'report.json')
  try {
    const status = node('node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args)
    console.log(summaryLine(existsSync(report) ? readFileSync(report, 'utf8') : undefined))
    return status
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const checked = args.length > 0 ? 0 : node('scripts/check.ts')
process.exitCode = checked !== 0 ? checked : runTests()
