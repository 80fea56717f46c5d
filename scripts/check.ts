/** `npm run check`: every static check, side by side, each with its own output kept together. */
import { spawn } from 'node:child_process'

const CHECKS: Readonly<Record<string, readonly string[]>> = {
  'types of the program': ['node_modules/typescript-native/bin/tsc', '-p', 'tsconfig.json'],
  'types of the web page': ['node_modules/typescript-native/bin/tsc', '-p', 'web/tsconfig.json'],
  imports: ['scripts/check-imports.ts'],
  lint: ['node_modules/eslint/bin/eslint.js', '--max-warnings=0', '.'],
  'unused code': ['node_modules/knip/bin/knip.js', '--no-progress'],
}

interface Result {
  readonly name: string
  readonly ok: boolean
  readonly seconds: number
  readonly output: string
}

function runCheck(name: string, args: readonly string[]): Promise<Result> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((done, failed) => {
    child.on('error', failed)
    child.on('close', (code) => done({ name, ok: code === 0, seconds: (performance.now() - startedAt) / 1000, output }))
  })
}

const results = await Promise.all(
  Object.entries(CHECKS).map(async ([name, args]) => {
    const result = await runCheck(name, args)
    console.log(`${result.ok ? 'ok    ' : 'FAILED'} ${name} (${result.seconds.toFixed(1)} s)`)
    return result
  }),
)
for (const { name, output } of results.filter((result) => !result.ok)) console.error(`\n${name}:\n${output}`)
process.exitCode = results.every((result) => result.ok) ? 0 : 1
