#!/usr/bin/env node
// Runs a script of this repository under a Node that can run TypeScript as it is, fetching node@24 from npm when the shell's own is older.
// Plain JavaScript without dependencies, because it must work before anything is installed and on old Nodes.
//   node scripts/with-node.mjs [--install] <script> [arguments]
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

/** True for the versions that `engines` allows: ^22.18 || >=24. */
export function isSupported(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major >= 24 || (major === 22 && minor >= 18)
}

/** Path of a Node that can run us: this one, or node@24 from npm. */
function findNode() {
  if (isSupported(process.versions.node)) return process.execPath
  process.stderr.write(`Node ${process.versions.node} is older than ^22.18 || >=24; using node@24 from npm.\n`)
  const found = spawnSync('npx', ['--yes', 'node@24', '-p', 'process.execPath'], { encoding: 'utf8', cwd: dirname(ROOT), stdio: ['ignore', 'pipe', 'pipe'] })
  const path = found.stdout?.trim().split('\n').at(-1) ?? ''
  if (found.status === 0 && existsSync(path)) return path
  process.stderr.write(`Could not get node@24 from npm. Install Node 24 (https://nodejs.org) and try again.\n${found.stderr ?? ''}`)
  process.exit(1)
}

/** The environment of a child: the chosen Node first in PATH. */
function environment(node) {
  return { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` }
}

/** Installs dependencies when the lockfile is not the one that was installed last. The marker is removed with node_modules. */
function installWhenNeeded(node) {
  const marker = join(ROOT, 'node_modules', '.buildscale-installed')
  const digest = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json'))).digest('hex')
  if (existsSync(marker) && readFileSync(marker, 'utf8') === digest) return
  process.stderr.write('Installing dependencies …\n')
  const npm = process.env.npm_execpath
  const [command, first] = npm?.endsWith('.js') ? [node, [npm]] : ['npm', []]
  // npm's own report goes to stderr, so that stdout carries only what the script prints.
  const result = spawnSync(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: ROOT, env: environment(node), stdio: ['ignore', 2, 2] })
  if (result.status !== 0) {
    process.stderr.write('npm ci failed; see above.\n')
    process.exit(result.status ?? 1)
  }
  mkdirSync(dirname(marker), { recursive: true })
  writeFileSync(marker, digest)
}

/** Starts the script and becomes it: signals go to it, its exit code comes back. */
function run(node, script, args) {
  const child = spawn(node, [script, ...args], { env: environment(node), stdio: 'inherit' })
  const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']
  for (const signal of forwarded) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)))
}

/** Runs `script` (a path inside the repository) with `args`. */
export function withNode(script, args, { install = false } = {}) {
  const node = findNode()
  if (install) installWhenNeeded(node)
  run(node, join(ROOT, script), args)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2)
  const install = args[0] === '--install'
  const [script, ...rest] = install ? args.slice(1) : args
  if (script === undefined) {
    process.stderr.write('usage: node scripts/with-node.mjs [--install] <script> [arguments]\n')
    process.exit(2)
  }
  withNode(script, rest, { install })
}
