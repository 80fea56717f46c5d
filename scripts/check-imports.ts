/** Checks the import table (`import-table.ts`) and that no import cycle exists. Type imports count too, so that the written graph stays readable. */
import { existsSync, globSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { ZONES, type Zone } from './import-table.ts'

const SOURCES = ['packages/*/{src,test,examples}/**/*.ts', 'backend/{src,test}/**/*.ts', 'cli/src/**/*.ts', 'web/**/*.{ts,tsx}', 'bench/src/**/*.ts', 'scripts/**/*.ts', 'docs/**/*.ts']

/** Every rule that the tree below `root` breaks, one sentence each; empty when it is sound. */
export function findViolations(root: string): string[] {
  const files = globSync(SOURCES, { cwd: root, exclude: (name) => name.endsWith('node_modules') || name.endsWith('dist') })
  const graph = new Map(files.map((file) => [file, importsOf(root, file)]))
  return [...[...graph].flatMap(([file, imports]) => imports.flatMap((target) => violation(file, target))), ...cycles(graph), ...files.flatMap((file) => unprefixedExports(root, file))]
}

/** What the files that may import the runtime export says so in its name. */
function unprefixedExports(root: string, file: string): string[] {
  if (!/^backend\/src\/services\/chat\/rig-[^/]*(?<!\.test)\.ts$/.test(file)) return []
  const exported = readFileSync(join(root, file), 'utf8').matchAll(/^export (?:abstract )?(?:async )?(?:class|function|const|interface|type) (\w+)/gm)
  return [...exported].flatMap(([, name = '']) => (/^(Rig|rig|RIG_)/.test(name) ? [] : [`${file}: exports ${name}; names exported here start with Rig`]))
}

function violation(file: string, target: string): string[] {
  const from = zoneOf(file)
  const to = zoneOf(target)
  if (from === undefined) return [`${file}: belongs to no zone of scripts/import-table.ts`]
  if (to === undefined) return [`${file}: ${target} belongs to no zone of scripts/import-table.ts`]
  if (from === to || from.mayImport === 'everything' || isTestOf(file, from)) return []
  return from.mayImport.includes(to.name) || from.mayImport.some((name) => to.name.startsWith(`${name}/`) && !isGuarded(to)) ? [] : [`${file}: ${from.name} may not import ${to.name} (${target})`]
}

/** A zone with a row of its own below a wider one is reached only when named, except where a package's door stands for all of it. */
function isGuarded(zone: Zone): boolean {
  return zone.name.startsWith('backend/')
}

/** Tests of a zone may use the package's own testing support. */
function isTestOf(file: string, zone: Zone): boolean {
  return file.endsWith('.test.ts') && (zone.name.startsWith('rig') || zone.name === 'sdk' || zone.name === 'cli')
}

function zoneOf(file: string): Zone | undefined {
  return ZONES.find((zone) => zone.pattern.test(file))
}

/** Imports of `file` that stay inside the repository, as paths relative to `root`. */
function importsOf(root: string, file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'), true, true)
  return importedFiles.flatMap(({ fileName }) => resolveImport(root, { file, name: fileName }))
}

function resolveImport(root: string, { file, name }: { file: string; name: string }): string[] {
  if (name.startsWith('.')) return [relative(root, resolve(root, dirname(file), name))]
  const match = /^@buildscale\/([^/]+)(?:\/(.+))?$/.exec(name)
  if (match === null) return []
  const [, workspace = '', path] = match
  const folder = ['packages', '.'].map((parent) => join(parent, workspace)).find((candidate) => existsSync(join(root, candidate, 'src')))
  if (folder === undefined) return [`unknown package ${name}`]
  return [join(folder, 'src', path === undefined ? 'index.ts' : path.endsWith('.ts') ? path : `${path}/index.ts`)]
}

/** Depth-first walk; each cycle is reported once, from the file where it was found. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  const found: string[] = []
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file)
    if (start >= 0) {
      found.push(`import cycle: ${[...trail.slice(start), file].join(' -> ')}`)
      return
    }
    if (done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const violations = findViolations(process.cwd())
  for (const line of violations) console.error(line)
  process.exitCode = violations.length === 0 ? 0 : 1
}
