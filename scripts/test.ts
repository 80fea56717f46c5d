/** `npm test`: the checks, then every test. Arguments go to the test runner: `npm test -- backend/src/tools`. */
import { spawnSync } from 'node:child_process'

const args = process.argv.slice(2)
const node = (script: string, ...rest: string[]): number => spawnSync(process.execPath, [script, ...rest], { stdio: 'inherit' }).status ?? 1

const checked = args.length > 0 ? 0 : node('scripts/check.ts')
process.exitCode = checked !== 0 ? checked : node('node_modules/vitest/vitest.mjs', 'run', ...args)
