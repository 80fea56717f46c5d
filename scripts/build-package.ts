/**
 * What npm runs around `npm pack` in the folder of a published package: `before` builds `dist` (declarations by the compiler, JavaScript by the bundler) and lets the manifest point there, `after` puts
 * the manifest back. In between, the package in the repository runs from `dist` as well.
 */
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundlePackage } from './bundle-package.ts'

const COMPILER = join(import.meta.dirname, '../node_modules/typescript-native/bin/tsc')
/** npm leaves `node_modules` out of a package, and git out of the repository. */
const SAVED_MANIFEST = 'node_modules/.cache/source-package.json'
/** Of use in the repository only. */
const SOURCE_FIELDS = ['scripts', 'devDependencies']

type Manifest = Readonly<Record<string, unknown>>

/** The manifest that users get: every entry point is JavaScript with declarations. Throws `TypeError` for an entry point that is no source file. */
export function packedManifest(manifest: Manifest): Manifest {
  const exports = Object.entries({ ...entryPoints(manifest) }).map(([name, target]) => [name, builtEntry(name, target)])
  const kept = Object.entries(manifest).filter(([field]) => !SOURCE_FIELDS.includes(field))
  return { ...Object.fromEntries(kept), exports: { ...Object.fromEntries(exports), './package.json': './package.json' } }
}

function entryPoints({ exports }: Manifest): object {
  if (typeof exports !== 'object' || exports === null) throw new TypeError('exports: expected the entry points')
  return exports
}

/** The entry points of a manifest that has not been rewritten, such as `src/index.ts`. */
export function sourceFiles(manifest: Manifest): readonly string[] {
  return Object.values({ ...entryPoints(manifest) }).flatMap((target) => (typeof target === 'string' ? [target.replace(/^\.\//, '')] : []))
}

/** The declarations stand first: conditions are tried in order. */
function builtEntry(name: string, target: unknown): { readonly types: string; readonly default: string } {
  const path = typeof target === 'string' ? /^\.\/src\/(.+)\.ts$/.exec(target)?.[1] : undefined
  if (path === undefined) throw new TypeError(`exports["${name}"]: expected a file "./src/….ts"`)
  return { types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` }
}

/** Throws when the sources do not compile; the manifest is then as it was. */
export async function beforePack(folder: string): Promise<void> {
  restoreManifest(folder) // Where an earlier run was killed half way.
  const file = join(folder, 'package.json')
  const source: Manifest = JSON.parse(readFileSync(file, 'utf8'))
  const manifest = packedManifest(source)
  const target = join(folder, 'dist')
  rmSync(target, { recursive: true, force: true })
  await declare(folder)
  await bundlePackage({ folder, target, entries: sourceFiles(source) })
  const saved = join(folder, SAVED_MANIFEST)
  mkdirSync(dirname(saved), { recursive: true })
  copyFileSync(file, saved)
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
}

export function afterPack(folder: string): void {
  restoreManifest(folder)
  rmSync(join(folder, 'dist'), { recursive: true, force: true })
}

function restoreManifest(folder: string): void {
  const saved = join(folder, SAVED_MANIFEST)
  if (existsSync(saved)) renameSync(saved, join(folder, 'package.json'))
}

/** Declarations, file by file. stdout belongs to npm: with `--json` it is read by programs. */
async function declare(folder: string): Promise<void> {
  const child = spawn(process.execPath, [COMPILER, '-p', 'tsconfig.build.json'], { cwd: folder, stdio: ['ignore', 2, 2] })
  const code = await new Promise<number | null>((done, failed) => child.once('error', failed).once('exit', done))
  if (code !== 0) throw new Error('The package could not be built; see above.')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , step] = process.argv
  if (step === 'before') await beforePack(process.cwd())
  else if (step === 'after') afterPack(process.cwd())
  else throw new Error('Usage: node build-package.ts before|after, in the folder of a package')
}
