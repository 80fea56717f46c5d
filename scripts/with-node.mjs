#!/usr/bin/env node
// Runs a script of this repository under a Node that can run TypeScript as it is, fetching node@24 from npm when the shell's own is older.
// Plain JavaScript without dependencies, because it must work before anything is installed and on old Nodes.
//   node scripts/with-node.mjs [--install] <script> [arguments]
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

/** True for the versions that `engines` allows: 24 and later. Node 22 strips types too, but knows no `using` declarations. */
export function isSupported(version) {
  return Number(version.split('.')[0]) >= 24
}

/** Path of a Node that can run us: this one, or node@24 from npm's cache or registry. */
function findNode() {
  if (isSupported(process.versions.node)) return process.execPath
  process.stderr.write(`Node ${process.versions.node} is older than 24; using node@24 from npm.\n`)
  // From the directory above, so that npx looks at no package of ours. A cached copy serves without asking the registry again.
  const args = ['--yes', '--prefer-offline', 'node@24', '-p', 'process.execPath']
  // Bounded, because npm was seen to search for ever where it cannot make its cache directory.
  const found = spawnSync('npx', args, { encoding: 'utf8', cwd: dirname(ROOT), stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000, killSignal: 'SIGKILL' })
  const path = found.stdout?.trim().split('\n').at(-1) ?? ''
  if (found.status === 0 && existsSync(path)) return path
  const reason = [found.error?.message, found.stderr?.trim()].filter(Boolean).join('\n')
  process.stderr.write(`${reason}\nCould not get node@24 from npm (reason above). Install Node 24 from https://nodejs.org and try again.\n`)
  process.exit(1)
}

/** The chosen Node first, so that whatever a script starts runs under it too. */
function pathWith(node) {
  return `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`
}

/** True when npm's own record of node_modules holds every package of the lockfile in its version. Optional ones may be for other platforms. */
function isInstalled() {
  const record = join(ROOT, 'node_modules', '.package-lock.json')
  if (!existsSync(record)) return false
  const packagesOf = (path) => JSON.parse(readFileSync(path, 'utf8')).packages ?? {}
  const installed = packagesOf(record)
  const wanted = Object.entries(packagesOf(join(ROOT, 'package-lock.json'))).filter(([path, { optional }]) => path.includes('node_modules/') && optional !== true)
  return wanted.length > 0 && wanted.every(([path, { version }]) => installed[path]?.version === version)
}

/** Installs dependencies when the lockfile is not the one that was installed last. The marker is removed with node_modules. */
function installWhenNeeded(node) {
  const marker = join(ROOT, 'node_modules', '.buildscale-installed')
  const digest = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json'))).digest('hex')
  if (existsSync(marker) && readFileSync(marker, 'utf8') === digest) return
  // `npm ci` empties node_modules first, under whatever runs from it: not when an `npm install` by hand has done the work already.
  if (isInstalled()) return writeFileSync(marker, digest)
  process.stderr.write('Installing dependencies …\n')
  // The npm that runs us, under the chosen Node; other package managers set the same variable to programs of their own.
  const npm = process.env.npm_execpath
  const [command, first] = npm?.endsWith('npm-cli.js') ? [node, [npm]] : ['npm', []]
  // npm's own report goes to stderr, so that stdout carries only what the script prints.
  const options = { cwd: ROOT, env: { ...process.env, PATH: pathWith(node) }, stdio: ['ignore', 2, 2] }
  const result = spawnSync(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], options)
  if (result.status !== 0) {
    process.stderr.write(`npm ci failed: ${result.error?.message ?? 'see above'}.\n`)
    process.exit(result.status ?? 1)
  }
  mkdirSync(dirname(marker), { recursive: true })
  writeFileSync(marker, digest)
}

/** Runs the script in this very process: nothing stands between it and its signals. */
function runHere(script, args) {
  process.argv = [process.execPath, script, ...args]
  process.env.PATH = pathWith(process.execPath)
  return import(pathToFileURL(script).href)
}

/** Starts the script under another Node and ends as it ends. */
function runUnder(node, script, args) {
  const child = spawn(node, [script, ...args], { env: { ...process.env, PATH: pathWith(node) }, stdio: 'inherit' })
  // A terminal sends these to the whole foreground group, the script included: passing them on would make one Ctrl-C look like two.
  const fromTerminal = ['SIGINT', 'SIGQUIT', 'SIGHUP']
  for (const signal of [...fromTerminal, 'SIGTERM']) {
    // Listening also keeps this process alive until the script has ended, however often somebody asks.
    process.on(signal, () => process.stdin.isTTY && fromTerminal.includes(signal) ? undefined : child.kill(signal))
  }
  child.on('error', (error) => {
    process.stderr.write(`${node}: ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)))
}

/** Runs `script` (a path inside the repository) with `args`; with `install`, after installing what the lockfile asks for. */
export function withNode(script, args, { install = false } = {}) {
  const node = findNode()
  if (install) installWhenNeeded(node)
  const path = join(ROOT, script)
  return node === process.execPath ? runHere(path, args) : runUnder(node, path, args)
}

// Compared as real paths: a clone may be reached through a symlink.
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2)
  const install = args[0] === '--install'
  const [script, ...rest] = install ? args.slice(1) : args
  if (script === undefined) {
    process.stderr.write('usage: node scripts/with-node.mjs [--install] <script> [arguments]\n')
    process.exit(2)
  }
  await withNode(script, rest, { install })
}
