import { spawn } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { calls, says, toolCall } from '../src/testing/scripted-model.ts'
import { startScriptedServer } from './responses-server.ts'

const REPOSITORY = join(import.meta.dirname, '../../..')
const TYPESCRIPT = join(REPOSITORY, 'node_modules/typescript/bin/tsc')

/** What a user writes on the first day: an agent with a typed tool, watched to its end, then spans and a model for tests. */
const PROGRAM = `
import { AgentBuilder, MaxTurnsError, openai, tool, type MultiTurnStreamItem, type SchemaLike } from '@buildscale/rig'
import { openTelemetry } from '@buildscale/rig/otel'
import { ScriptedModel, says } from '@buildscale/rig/testing'

const parameters = {
  jsonSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  validate: (value: unknown): { readonly city: string } => ({ city: String(new Map(Object.entries(value ?? {})).get('city')) }),
} satisfies SchemaLike
const weather = tool({ name: 'get_weather', description: 'The weather of a city.', parameters, call: ({ city }) => \`Sunny in \${city.toUpperCase()}.\` })
// @ts-expect-error the tool's arguments are typed
tool({ name: 'wrong', description: '', parameters, call: ({ town }) => town })

const print = (item: MultiTurnStreamItem): void => {
  if (item.type === 'streamUserItem') console.log(JSON.stringify(item.item.toolResult.content))
  if (item.type === 'finalResponse') console.log(item.response.output)
}
for await (const item of openai.Client.fromEnv().agent(openai.GPT_4O).tool(weather).build().streamPrompt('How is the weather in Turin?')) print(item)

const scripted = new AgentBuilder(new ScriptedModel([says('Scripted.')])).telemetry(openTelemetry()).build()
console.log(await scripted.prompt('Hello'), new MaxTurnsError(1, { role: 'user', content: [] }, []).name)
`

const TSCONFIG = {
  compilerOptions: {
    target: 'ES2024', module: 'NodeNext', strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true,
    skipLibCheck: false, noEmit: true,
  },
  files: ['main.ts'],
}

let folder: string
let consumer: string
let installed: string
/** As it was before packing. */
let manifest: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rig-package-'))
  consumer = join(folder, 'consumer')
  installed = join(consumer, 'node_modules/@buildscale/rig')
  const tarball = await pack(join(folder, 'repository'))
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  await run('npm', ['install', tarball, '--offline', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: consumer })
  for (const name of ['@types/node', '@opentelemetry/api']) {
    mkdirSync(join(consumer, 'node_modules', dirname(name)), { recursive: true })
    symlinkSync(join(REPOSITORY, 'node_modules', name), join(consumer, 'node_modules', name))
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Packs a copy: packing changes the manifest for a moment, and other tests are reading it. Gives the path of the package. */
async function pack(repository: string): Promise<string> {
  for (const path of ['packages/rig', 'scripts/build-package.ts', 'scripts/bundle-package.ts', 'tsconfig.base.json']) {
    cpSync(join(REPOSITORY, path), join(repository, path), { recursive: true, filter: (source) => !/\/(node_modules|readme-[^/]*)$/.test(source) })
  }
  symlinkSync(join(REPOSITORY, 'node_modules'), join(repository, 'node_modules'))
  manifest = readFileSync(join(repository, 'packages/rig/package.json'), 'utf8')
  const { stdout } = await run('npm', ['pack', '--offline', '--json', '--pack-destination', folder], { cwd: join(repository, 'packages/rig') })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  return join(folder, filename)
}

interface Output {
  readonly stdout: string
  readonly all: string
}

/** Rejects with everything that was printed when the program fails. */
async function run(command: string, args: readonly string[], { cwd, env = {} }: { readonly cwd: string; readonly env?: Record<string, string> }): Promise<Output> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], npm_config_cache: join(folder, 'cache'), npm_config_update_notifier: 'false', ...env } })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const code = await new Promise((done, failed) => child.once('error', failed).once('close', done))
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${String(code)}:\n${stdout}${stderr}`)
  return { stdout, all: stdout + stderr }
}

describe('the packed package', () => {
  it('holds every entry point as JavaScript with declarations', () => {
    const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { exports: Record<string, string | Record<string, string>> }
    const sources = JSON.parse(manifest) as { exports: Record<string, string> }
    expect(Object.keys(exports)).toEqual([...Object.keys(sources.exports), './package.json'])
    const targets = Object.values(exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
    for (const target of targets) expect(existsSync(join(installed, target)), target).toBe(true)
  })

  it('brings its documents, its licence and its examples', () => {
    const others = globSync('{docs,examples}/**/*.{md,ts}', { cwd: join(folder, 'repository/packages/rig'), exclude: ['**/*.test.ts'] })
    for (const path of ['README.md', 'MIGRATING.md', 'LICENSE', ...others]) expect(existsSync(join(installed, path)), path).toBe(true)
  })

  it('holds no test, no source and nothing that is installed with it', () => {
    const files = globSync('**/*', { cwd: installed })
    expect(files.length).toBeGreaterThan(50) // Declarations, file by file.
    expect(files.filter((file) => /\.test\.|(^|\/)(test|src|scripts|node_modules|__fixtures__)(\/|$)|tsconfig/.test(file))).toEqual([])
    const fields: string[] = Object.keys(JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')))
    expect(fields.filter((field) => ['dependencies', 'devDependencies', 'scripts'].includes(field))).toEqual([])
  })

  it('is written without syntax that the oldest supported Node lacks', () => {
    const scripts = globSync('dist/**/*.js', { cwd: installed })
    expect(scripts).not.toEqual([])
    for (const file of scripts) expect(readFileSync(join(installed, file), 'utf8'), file).not.toMatch(/^\s*(await )?using \w+ = |\bimport defer\b/m)
  })

  it('needs nothing but Node and the peers that its manifest names', () => {
    const { peerDependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { peerDependencies: Record<string, string> }
    const imported = globSync('dist/**/*.{js,d.ts}', { cwd: installed })
      .flatMap((file) => ts.preProcessFile(readFileSync(join(installed, file), 'utf8')).importedFiles.map(({ fileName }) => fileName))
      .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
    expect([...new Set(imported.map((name) => name.split('/').slice(0, 2).join('/')))].sort()).toEqual(Object.keys(peerDependencies).sort())
  })

  it('names neither the machine that built it nor the project around it', () => {
    for (const file of globSync('{dist,docs,examples}/**/*.*', { cwd: installed })) {
      const text = readFileSync(join(installed, file), 'utf8').replaceAll('@buildscale/rig', '')
      expect(text, file).not.toMatch(/buildscale/i)
      expect(text, file).not.toContain(REPOSITORY)
      expect(text, file).not.toContain(folder)
    }
  })

  it.each([
    ['with the types of Node', { lib: ['ES2024'], types: ['node'] }],
    ['without any other types', { types: [] }],
  ])('type-checks in a strict project of its users, declarations of libraries included, %s', async (_title, types) => {
    writeFileSync(join(consumer, 'main.ts'), PROGRAM)
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ ...TSCONFIG, compilerOptions: { ...TSCONFIG.compilerOptions, ...types } }))
    expect((await run(process.execPath, [TYPESCRIPT, '-p', '.'], { cwd: consumer })).all).toBe('')
  }, 60_000)

  it('runs there with plain node', async () => {
    await using server = await startScriptedServer([calls(toolCall('call_1', 'get_weather', { city: 'Turin' })), says('Sunny.')])
    writeFileSync(join(consumer, 'main.ts'), PROGRAM)
    const { stdout } = await run(process.execPath, ['main.ts'], { cwd: consumer, env: { OPENAI_BASE_URL: server.baseUrl } })
    expect(stdout).toBe('[{"type":"text","text":"Sunny in TURIN."}]\nSunny.\nScripted. MaxTurnsError\n')
  })
})

it('the tools of MCP servers load without the SDK, which only connecting needs', async () => {
  writeFileSync(join(consumer, 'mcp.ts'), "import { connectMcp, mcpTools } from '@buildscale/rig/mcp'\nconsole.log(typeof connectMcp, typeof mcpTools)\n")
  expect((await run(process.execPath, ['mcp.ts'], { cwd: consumer })).stdout).toBe('function function\n')
})

it('packing leaves the manifest as it was', () => {
  expect(readFileSync(join(folder, 'repository/packages/rig/package.json'), 'utf8')).toBe(manifest)
  expect(existsSync(join(folder, 'repository/packages/rig/dist'))).toBe(false)
})
