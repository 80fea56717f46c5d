import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sha256 } from './shell-content.ts'
import { ShellFileSystem } from './shell-file-system.ts'
import { planChanges } from './shell-plan.ts'
import type { ShellGuard, ShellOperation, ShellPlan, TreeFact } from './shell-protocol.ts'
import { ShellTree } from './shell-tree.ts'
import { WrittenFiles } from './written-files.ts'

const LIMITS = { timeMs: 1_000, writtenBytes: 1_000_000, writtenFiles: 10_000, readFileBytes: 1_000_000 }

/** A workspace as simple as can be: what the change set would do, and would refuse. */
class Model {
  readonly entries = new Map<string, { readonly id: number; readonly content: string | null }>()
  #last = 0

  add(path: string, content: string | null): void {
    this.#free(path)
    this.entries.set(path, { id: ++this.#last, content })
  }

  apply(operation: ShellOperation): void {
    switch (operation.type) {
      case 'remove':
        if (!this.entries.has(operation.path)) throw new Error(`remove ${operation.path}: nothing there`)
        for (const path of this.#with(operation.path)) this.entries.delete(path)
        return
      case 'move': {
        const { from, to } = operation
        this.#free(to)
        if (!this.entries.has(from) || to.startsWith(`${from}/`)) throw new Error(`move ${from} ${to}`)
        for (const path of this.#with(from)) {
          this.entries.set(`${to}${path.slice(from.length)}`, this.entries.get(path) ?? expect.unreachable())
          this.entries.delete(path)
        }
        return
      }
      case 'folder':
        return this.add(operation.path, null)
      case 'write': {
        const content = Buffer.from(operation.content).toString()
        const there = this.entries.get(operation.path)
        if (there === undefined) return this.add(operation.path, content)
        if (there.content === null) throw new Error(`write ${operation.path}: a folder`)
        this.entries.set(operation.path, { ...there, content })
      }
    }
  }

  holds(guard: ShellGuard): boolean {
    const there = this.entries.get(guard.path)
    if (guard.type === 'absent') return there === undefined
    if (guard.type === 'file') return there?.content !== undefined && there.content !== null && sha256(Buffer.from(there.content)) === guard.hash
    if (guard.type === 'folder') return there?.content === null
    const below = (facts: readonly TreeFact[]): string[] => facts.map(({ path, file }) => `${path} ${file?.hash ?? ''}`).sort()
    return JSON.stringify(below(guard.below)) === JSON.stringify(below(this.facts(guard.path)))
  }

  facts(folder: string): TreeFact[] {
    const prefix = folder === '/' ? '/' : `${folder}/`
    const inside = [...this.entries].filter(([path]) => path.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))
    return inside.map(([path, { content }]) => ({ path, file: content === null ? null : { hash: sha256(Buffer.from(content)), size: content.length, time: 0 } }))
  }

  /** Paths and contents. */
  get shown(): Record<string, string | null> {
    return Object.fromEntries([...this.entries].map(([path, { content }]) => [path, content] as const).sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  #with(path: string): string[] {
    return [...this.entries.keys()].filter((other) => other === path || other.startsWith(`${path}/`))
  }

  #free(path: string): void {
    if (this.entries.has(path)) throw new Error(`${path} is taken`)
    const parent = posix.dirname(path)
    if (parent !== '/' && this.entries.get(parent)?.content !== null) throw new Error(`${path} has no folder`)
  }
}

function shellOver(model: Model, { isDeep }: { readonly isDeep: boolean }) {
  const stored = new Map([...model.entries.values()].flatMap(({ content }) => (content === null ? [] : [[sha256(Buffer.from(content)), Buffer.from(content)] as const])))
  const base = new Map(['/', ...model.entries.keys()].map((path) => [path, model.facts(path)]))
  const below = (path: string) => Promise.resolve({ entries: base.get(path) ?? [], isDeep: true })
  const list = (path: string) => (isDeep ? below(path) : Promise.resolve({ entries: (base.get(path) ?? []).filter((fact) => posix.dirname(fact.path) === path), isDeep: false }))
  const tree = new ShellTree({ list, below })
  const written = new WrittenFiles({ limits: LIMITS, readStored: ({ hash }) => Promise.resolve(stored.get(hash) ?? expect.unreachable()) })
  const fs = new ShellFileSystem({ tree, written, devices: new Map() })
  return { fs, plan: () => planChanges(tree, (node) => written.readWithHash(node)) }
}

/** What the script sees at its end. */
async function seen(fs: ShellFileSystem, folder = '/'): Promise<Record<string, string | null>> {
  const all: Record<string, string | null> = {}
  for (const name of await fs.readdir(folder)) {
    const path = posix.join(folder, name)
    if (folder === '/' && (name === 'tmp' || name === 'dev')) continue
    const { isFile } = await fs.stat(path)
    all[path] = isFile ? await fs.readFile(path) : null
    if (!isFile) Object.assign(all, await seen(fs, path))
  }
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Numbers that look random and are the same in every run (a linear congruential generator). */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const PLACES = ['/a', '/b', '/c', '/a/a', '/a/b', '/b/a', '/b/b', '/a/a/a', '/a/b/c', '/b/a/a', '/tmp/a', '/tmp/b']

async function randomStep(fs: ShellFileSystem, random: (below: number) => number): Promise<void> {
  const one = (): string => PLACES[random(PLACES.length)] ?? '/a'
  const actions = [
    () => fs.writeFile(one(), `w${random(4)}`),
    () => fs.appendFile(one(), `+${random(4)}`),
    () => fs.mkdir(one(), { recursive: random(2) === 0 }),
    () => fs.rm(one(), { recursive: random(3) > 0 }),
    () => fs.cp(one(), one(), { recursive: true }),
    () => fs.mv(one(), one()),
    () => fs.mv(one(), one()),
    () => fs.mv(one(), one()),
  ]
  // What a file system refuses is as good a test as what it does.
  await actions[random(actions.length)]?.().catch(() => undefined)
}

function randomModel(random: (below: number) => number): Model {
  const model = new Model()
  for (const path of PLACES.filter((place) => !place.startsWith('/tmp'))) {
    const parent = posix.dirname(path)
    if (parent !== '/' && model.entries.get(parent)?.content !== null) continue
    const kind = random(4)
    if (kind > 0) model.add(path, kind === 1 ? `base ${random(3)}` : kind === 2 ? `own ${path}` : null)
  }
  return model
}

describe('the plan of a script', () => {
  it('leads from any tree to any other: 4,000 random scripts, each checked against what it saw', { timeout: 120_000 }, async () => {
    for (let seed = 1; seed <= 4_000; seed += 1) {
      const random = numbers(seed)
      const model = randomModel(random)
      const before = new Map(model.entries)
      const { fs, plan } = shellOver(model, { isDeep: seed % 2 === 0 })
      for (let steps = 1 + random(10); steps > 0; steps -= 1) await randomStep(fs, random)
      const expected = await seen(fs)
      const planned = await plan()
      for (const guard of planned.guards) expect(model.holds(guard), `seed ${seed}: ${JSON.stringify(guard)}`).toBe(true)
      applyAll(model, planned, seed)
      expect(model.shown, `seed ${seed}`).toEqual(expected)
      expect([...model.entries.keys()].filter((path) => path.includes('.moving')), `seed ${seed}`).toEqual([])
      expectIdentities(model, { before, planned, seed })
    }
  })

  it('is empty when everything is again as it was', async () => {
    const model = new Model()
    model.add('/a', null)
    model.add('/a/x', 'x')
    const { fs, plan } = shellOver(model, { isDeep: false })
    await fs.mv('/a', '/b')
    await fs.writeFile('/b/x', 'y')
    await fs.mv('/b', '/a')
    await fs.rm('/a', { recursive: true })
    await fs.mkdir('/a')
    await fs.writeFile('/a/x', 'x')
    await fs.writeFile('/tmp/t', 't')
    expect(await plan()).toEqual({ guards: [], operations: [], scratchFiles: 1 })
  })
})

function applyAll(model: Model, { operations }: ShellPlan, seed: number): void {
  try {
    for (const operation of operations) model.apply(operation)
  } catch (error) {
    throw new Error(`seed ${seed}: ${JSON.stringify(operations.map(({ ...rest }) => ({ ...rest, content: undefined })))}`, { cause: error })
  }
}

/** Whatever was neither removed nor moved is the file that it was at its place. */
function expectIdentities(model: Model, { before, planned, seed }: { readonly before: Model['entries']; readonly planned: ShellPlan; readonly seed: number }): void {
  const touched = planned.operations.flatMap((operation) => (operation.type === 'remove' ? [operation.path, operation.origin] : operation.type === 'move' ? [operation.from, operation.to, operation.origin ?? operation.from] : []))
  const isTouched = (path: string): boolean => touched.some((other) => path === other || path.startsWith(`${other}/`))
  for (const [path, { id }] of before) if (!isTouched(path)) expect(model.entries.get(path)?.id, `seed ${seed}: ${path}`).toBe(id)
}
