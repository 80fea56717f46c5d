/**
 * The program that is measured, in a folder for temporary files, with the runtime as its users install it. Run from its sources, every process
 * would carry the machinery that takes types out, which costs more memory and more time than the runtime.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bundlePackage } from '../../../scripts/bundle-package.ts'
import type { ClientName } from './bench-client.ts'

const RIG = fileURLToPath(new URL('../../../packages/rig', import.meta.url))
const PEERS = fileURLToPath(new URL('../../peers', import.meta.url))
const CLIENT_SOURCES = [
  new URL('./bench-client.ts', import.meta.url),
  new URL('./loopback-only.ts', import.meta.url),
  new URL('./measure.ts', import.meta.url),
  new URL('./measure-process.ts', import.meta.url),
  new URL('./ours-client.ts', import.meta.url),
  new URL('./raw-client.ts', import.meta.url),
  new URL('./scenarios.ts', import.meta.url),
].map((url) => fileURLToPath(url))
const RELATIVE_IMPORT = /((?:\bfrom|\bimport)\s*\(?\s*'\.{1,2}\/[^']+)\.ts'/g

export interface MeasuredProgram {
  /** Where `zod` and the runtime can be imported from. */
  readonly folder: string
  /** Path of measure-process.js. */
  readonly main: string
  /** URL of the module of a client. */
  moduleOf(client: ClientName): string
  remove(): void
}

export async function makeMeasuredProgram(): Promise<MeasuredProgram> {
  const folder = mkdtempSync(join(tmpdir(), 'rig-bench-'))
  const modules = join(folder, 'node_modules')
  const rig = join(modules, '@buildscale', 'rig')
  await bundlePackage({ folder: RIG, entries: ['src/index.ts'], target: rig })
  writeFileSync(join(rig, 'package.json'), JSON.stringify({ name: '@buildscale/rig', type: 'module', exports: './index.js' }))
  symlinkSync(dirname(fileURLToPath(import.meta.resolve('zod/package.json'))), join(modules, 'zod'))
  for (const source of CLIENT_SOURCES) writeStripped(source, join(folder, basename(source)))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  return {
    folder,
    main: join(folder, 'measure-process.js'),
    moduleOf: (client) => pathToFileURL(client === 'ours' || client === 'raw' ? join(folder, `${client}-client.js`) : join(PEERS, `${client}-client.mjs`)).href,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function writeStripped(source: string, target: string): void {
  const path = target.replace(/\.ts$/, '.js')
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, stripTypeScriptTypes(readFileSync(source, 'utf8')).replaceAll(RELATIVE_IMPORT, "$1.js'"))
}
