import { describe, expect, it } from 'vitest'
import type { StoredContent, TouchedFile } from '../../repositories/rewind-repository.ts'
import { decideRewind, type RewoundFile } from './rewind-decisions.ts'
import { orderRewind, type RewindStep } from './rewind-order.ts'

/** Numbers from 0 to 1 that are the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
}

const version = (text: string): StoredContent => ({ id: `v-${text}`, number: 1, hash: Buffer.from(text), size: text.length, mime: 'text/plain' })

/** A tree: path to the thing there; a folder's text is null. */
type Tree = ReadonlyMap<string, { readonly id: string; readonly text: string | null }>

function touchedFiles(then: Tree, now: Tree, trash: Tree = new Map()): TouchedFile[] {
  const places = (tree: Tree) => new Map([...tree].map(([path, { id, text }]) => [id, { path, fileType: text === null ? ('folder' as const) : ('document' as const), content: text === null ? null : version(text) }]))
  const [was, is, trashed] = [places(then), places(now), places(trash)]
  return [...new Set([...was.keys(), ...is.keys()])].map((id) => {
    const [past, present, gone] = [was.get(id), is.get(id), trashed.get(id) ?? was.get(id)]
    const current = present === undefined ? (gone === undefined ? null : { ...gone, isTrashed: true }) : { ...present, isTrashed: false }
    return { id, then: past ?? null, now: current }
  })
}

function plan(touched: readonly TouchedFile[], paths?: readonly string[]): { readonly files: readonly RewoundFile[]; readonly steps: readonly RewindStep[]; readonly left: number } {
  let made = 0
  const { files, left } = decideRewind({ touched, steady: new Map(), paths, newId: () => `new-${++made}` })
  return { files, steps: orderRewind({ files, asidePath: (number) => `/.aside-${number}` }), left: left.length }
}

/** A file system that refuses what a real one would, and moves whole folders at once. */
class Disk {
  #entries: Map<string, string | null>

  constructor(tree: Tree) {
    this.#entries = new Map([...tree].map(([path, { text }]) => [path, text]))
  }

  replay(steps: readonly RewindStep[]): void {
    // Removals in a row are applied from the last to the first: a folder is named before its content.
    const runs: RewindStep[][] = []
    for (const step of steps) {
      const run = runs.at(-1)
      if (step.type === 'deleted' && run?.at(-1)?.type === 'deleted') run.push(step)
      else runs.push([step])
    }
    for (const step of runs.flatMap((run) => run.reverse())) this.#apply(step)
  }

  tree(): string[] {
    return [...this.#entries].map(([path, text]) => `${path} ${text ?? 'folder'}`).sort()
  }

  #apply(step: RewindStep): void {
    switch (step.type) {
      case 'deleted':
        if ([...this.#entries.keys()].some((path) => path.startsWith(`${step.path}/`))) throw new Error(`${step.path} is not empty`)
        if (!this.#entries.delete(step.path)) throw new Error(`${step.path} is not there`)
        return
      case 'created':
      case 'restored':
        this.#checkPlace(step.path)
        this.#entries.set(step.path, step.file.isFolder ? null : ((step.file.content ?? step.file.latest)?.hash.toString() ?? ''))
        return
      case 'updated':
        if (!this.#entries.has(step.path)) throw new Error(`${step.path} is not there`)
        this.#entries.set(step.path, step.file.content?.hash.toString() ?? '')
        return
      case 'moved':
        return this.#move(step.moves)
    }
  }

  /** The first row renames, with all that is inside; the rows after it only say what went along, and must say all of it. */
  #move(moves: Extract<RewindStep, { type: 'moved' }>['moves']): void {
    const [root] = moves
    if (root === undefined) throw new Error('a move of nothing')
    this.#checkPlace(root.to)
    const inside = [...this.#entries].filter(([path]) => path === root.from || path.startsWith(`${root.from}/`))
    expect(moves.map(({ from }) => from).sort()).toEqual(inside.map(([path]) => path).sort())
    for (const { from, to } of moves) expect(to).toBe(`${root.to}${from.slice(root.from.length)}`)
    for (const [path] of inside) this.#entries.delete(path)
    for (const [path, text] of inside) this.#entries.set(`${root.to}${path.slice(root.from.length)}`, text)
  }

  #checkPlace(path: string): void {
    if (this.#entries.has(path)) throw new Error(`${path} is taken`)
    const parent = path.slice(0, path.lastIndexOf('/'))
    if (parent !== '' && this.#entries.get(parent) !== null) throw new Error(`${path} has no folder above it`)
  }
}

const brief = (steps: readonly RewindStep[]): string[] => steps.flatMap((step) => (step.type === 'moved' ? step.moves.map(({ from, to }) => `${from} -> ${to}`) : [`${step.type} ${step.path}`]))
const tree = (entries: Readonly<Record<string, readonly [string, string | null]>>): Tree => new Map(Object.entries(entries).map(([path, [id, text]]) => [path, { id, text }]))

/** Goes from `now` back to `then` on a strict file system, and answers the rows. */
function goBack(then: Tree, now: Tree): string[] {
  const { steps } = plan(touchedFiles(then, now))
  const disk = new Disk(now)
  disk.replay(steps)
  expect(disk.tree()).toEqual(new Disk(then).tree())
  return brief(steps)
}

describe('the order of a rewind', () => {
  it('undoes a move with its content, the folder first', () => {
    expect(goBack(tree({ '/a': ['d', null], '/a/x': ['x', '1'], '/a/y': ['y', '2'] }), tree({ '/b': ['d', null], '/b/x': ['x', '1'], '/b/y': ['y', '2'] }))).toEqual(['/b -> /a', '/b/x -> /a/x', '/b/y -> /a/y'])
  })

  it('swaps two files by putting one aside', () => {
    expect(goBack(tree({ '/a': ['1', 'one'], '/b': ['2', 'two'] }), tree({ '/a': ['2', 'two'], '/b': ['1', 'one'] }))).toEqual(['/a -> /.aside-1', '/b -> /a', '/.aside-1 -> /b'])
  })

  it('turns a ring of folders, each with its content', () => {
    const ring = (names: readonly string[]): Tree => tree(Object.fromEntries(['x', 'y', 'z'].flatMap((id, index) => [[`/${names[index] ?? ''}`, [id, null] as const], [`/${names[index] ?? ''}/f`, [`f${id}`, id] as const]])))
    expect(goBack(ring(['a', 'b', 'c']), ring(['b', 'c', 'a'])).filter((row) => row.includes('aside'))).toHaveLength(4)
  })

  it('follows a chain of renames from its free end, putting nothing aside', () => {
    const chain = (shift: number): Tree => tree(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`/${String(index + shift).padStart(2, '0')}`, [`id${index}`, String(index)] as const])))
    expect(goBack(chain(0), chain(1)).filter((row) => row.includes('aside'))).toEqual([])
    expect(goBack(chain(1), chain(0)).filter((row) => row.includes('aside'))).toEqual([])
  })

  it('takes a file that stands where a folder was out of the way, and the other way round', () => {
    expect(goBack(tree({ '/p': ['d', null], '/p/x': ['x', '1'] }), tree({ '/p': ['new', 'file'] }))).toEqual(['deleted /p', 'restored /p', 'restored /p/x'])
    expect(goBack(tree({ '/p': ['f', 'file'] }), tree({ '/p': ['d', null], '/p/x': ['x', '1'], '/p/e': ['e', null] }))).toEqual(['deleted /p', 'deleted /p/e', 'deleted /p/x', 'restored /p'])
  })

  it('renames only the case of a letter, of a file and of a folder', () => {
    expect(goBack(tree({ '/Readme': ['r', '1'], '/Docs': ['d', null], '/Docs/a': ['a', '2'] }), tree({ '/README': ['r', '1'], '/docs': ['d', null], '/docs/a': ['a', '2'] }))).toEqual(['/README -> /Readme', '/docs -> /Docs', '/docs/a -> /Docs/a'])
  })

  it('turns a folder and one inside it inside out', () => {
    goBack(tree({ '/a': ['1', null], '/a/b': ['2', null], '/a/b/f': ['f', 'x'] }), tree({ '/a': ['2', null], '/a/b': ['1', null], '/a/b/f': ['f', 'x'] }))
  })

  it('takes what stays out of a folder that moves away, and puts it back into the one that takes its place', () => {
    goBack(tree({ '/a': ['1', null], '/a/f': ['f', 'x'], '/b': ['2', null] }), tree({ '/a': ['2', null], '/a/f': ['f', 'x'], '/b': ['1', null] }))
  })

  it('empties a folder that was made since before it goes', () => {
    expect(goBack(tree({ '/x': ['x', '1'] }), tree({ '/n': ['n', null], '/n/m': ['m', null], '/n/m/x': ['x', '1'] }))).toEqual(['/n/m/x -> /x', 'deleted /n', 'deleted /n/m'])
  })

  it('is right for any two trees of the same things', () => {
    const random = randomNumbers(99)
    for (let round = 0; round < 3_000; round += 1) {
      const ids = Array.from({ length: 2 + Math.floor(random() * 9) }, (_, index) => ({ id: `id${index}`, isFolder: random() < 0.5 }))
      const [then, now] = [randomTree(ids, random), randomTree(ids, random)]
      goBack(then, now)
    }
  })

  it('of some paths only is right for any two trees, and leaves all else where it is', () => {
    const random = randomNumbers(4)
    for (let round = 0; round < 3_000; round += 1) {
      const ids = Array.from({ length: 2 + Math.floor(random() * 9) }, (_, index) => ({ id: `id${index}`, isFolder: random() < 0.5 }))
      const [then, now] = [randomTree(ids, random), randomTree(ids, random)]
      const paths = [['/a', '/b', '/a/a', '/b/c'][Math.floor(random() * 4)] ?? '/a']
      const { files, steps } = plan(touchedFiles(then, now), paths)
      const disk = new Disk(now)
      disk.replay(steps)
      const expected = files.flatMap(({ to, isFolder, content, latest }) => (to === null ? [] : [`${to} ${isFolder ? 'folder' : ((content ?? latest)?.hash.toString() ?? '')}`]))
      expect(disk.tree()).toEqual(expected.sort())
      const isAsked = (path: string): boolean => paths.some((asked) => path === asked || path.startsWith(`${asked}/`))
      const places = new Map(files.map(({ id, to }) => [id, to]))
      const wasAt = new Map([...then].map(([path, { id }]) => [id, path]))
      for (const [path, { id }] of now) if (!isAsked(path) && !isAsked(wasAt.get(id) ?? '')) expect(places.get(id)).toBe(path)
    }
  })

  it('takes time in proportion to the number of files', { timeout: 20_000 }, () => {
    const large = (folder: string): Tree => tree(Object.fromEntries([[`/${folder}`, ['d', null] as const], ...Array.from({ length: 50_000 }, (_, index) => [`/${folder}/${index}`, [`f${index}`, String(index)] as const] as const)]))
    const startedAt = performance.now()
    expect(plan(touchedFiles(large('a'), large('b'))).steps).toHaveLength(1)
    expect(plan(touchedFiles(large('a'), tree({}))).steps).toHaveLength(50_001)
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })
})

const NAMES = ['a', 'b', 'c']

/** Some of the things, at random places that fit together. */
function randomTree(ids: readonly { readonly id: string; readonly isFolder: boolean }[], random: () => number): Tree {
  const entries = new Map<string, { id: string; text: string | null }>()
  const folders = ['']
  for (const { id, isFolder } of [...ids].sort(() => random() - 0.5)) {
    if (random() < 0.2) continue
    const path = `${folders[Math.floor(random() * folders.length)] ?? ''}/${NAMES[Math.floor(random() * NAMES.length)] ?? 'a'}`
    if (entries.has(path)) continue
    entries.set(path, { id, text: isFolder ? null : `${id}${random() < 0.3 ? '!' : ''}` })
    if (isFolder) folders.push(path)
  }
  return entries
}
