/**
 * The order in which a rewind is written into the journal. Whoever replays the journal applies row after row to a real tree, where a path must be free
 * before something comes to it, a folder carries its content along, and goes only when it is empty. Where places form a cycle, something steps aside first.
 */
import type { RewoundFile } from './rewind-decisions.ts'

/** One row to be, or a few: a move is followed by the moves of what the folder carries along. */
export type RewindStep =
  | { readonly type: 'created'; readonly file: RewoundFile; readonly path: string }
  /** Out of the trash, with the bytes of `file.content` when there are any. */
  | { readonly type: 'restored'; readonly file: RewoundFile; readonly path: string }
  | { readonly type: 'moved'; readonly moves: readonly FileMove[] }
  | { readonly type: 'deleted'; readonly file: RewoundFile; readonly path: string }
  | { readonly type: 'updated'; readonly file: RewoundFile; readonly path: string }

export interface FileMove {
  readonly file: RewoundFile
  readonly from: string
  readonly to: string
}

export interface RewindOrderOptions {
  readonly files: readonly RewoundFile[]
  /** A free path in the root for what has to step aside; each number another one. */
  readonly asidePath: (number: number) => string
}

/** A file, or a folder with all that goes along with it, on its way. */
interface Unit {
  readonly root: RewoundFile
  /** With the root first, then what it carries, folders before their content. */
  readonly members: readonly RewoundFile[]
  readonly from: string
  readonly to: string
  /** Where the root is while the steps run. */
  at: string
  /** True once it has left its old place. */
  isAway: boolean
}

interface PlaceTask {
  readonly type: 'place' | 'remove'
  readonly file: RewoundFile
  readonly path: string
}

type Task = PlaceTask | { readonly type: 'move'; readonly unit: Unit }

/** Every step of a rewind, so that each finds the tree as it needs it. */
export function orderRewind(options: RewindOrderOptions): readonly RewindStep[] {
  return new RewindOrder(options).steps()
}

class RewindOrder {
  readonly #options: RewindOrderOptions
  readonly #steps: RewindStep[] = []
  /** Paths that something touched stands at while the steps run. */
  readonly #present = new Set<string>()
  /** Folders of the past that are not at their place yet. */
  readonly #unsettled = new Set<string>()
  /** Of a folder that moves or goes, by the root's id: what is in it and must leave it first. */
  readonly #strangers = new Map<string, number>()
  /** The folder, by id, that waits for this one to leave. */
  readonly #holders = new Map<string, string>()
  readonly #waiting = new Map<string, Task[]>()
  #ready: Task[] = []
  #asides = 0

  constructor(options: RewindOrderOptions) {
    this.#options = options
  }

  steps(): readonly RewindStep[] {
    const { files } = this.#options
    const units = this.#prepare()
    this.#run()
    // Only cycles are left now: the deepest steps aside first, because it holds nothing that has to leave it.
    const deepest = [...units].sort((a, b) => depth(b.from) - depth(a.from))
    for (const unit of deepest) {
      if (unit.isAway) continue
      this.#stepAside(unit)
      this.#run()
    }
    const unfinished = [...this.#waiting.values()].flat().length
    if (unfinished > 0) throw new Error(`a rewind could not be ordered: ${unfinished} steps wait for each other`)
    for (const file of files) if (file.content !== null && file.from !== null && file.to !== null) this.#steps.push({ type: 'updated', file, path: file.to })
    return sortRemovals(this.#steps)
  }

  /** Finds what moves together, and what must leave which folder; queues every task. */
  #prepare(): readonly Unit[] {
    const present = sortDepthFirst(this.#options.files.filter(isPresent), ({ from }) => from)
    const folders = new Map<string, RewoundFile>()
    const unitOf = new Map<string, { readonly rootId: string; readonly members: RewoundFile[] }>()
    const units: Unit[] = []
    const removals: Task[] = []
    for (const file of present) {
      this.#present.add(file.from)
      if (file.isFolder) folders.set(file.from, file)
      const parent = folders.get(parentOf(file.from))
      const parentUnit = parent === undefined ? undefined : unitOf.get(parent.id)
      if (parent !== undefined && parentUnit !== undefined && file.to === `${parent.to ?? ''}/${nameOf(file.from)}`) {
        parentUnit.members.push(file)
        unitOf.set(file.id, parentUnit)
        continue
      }
      const leavesFolder = parentUnit !== undefined || (parent !== undefined && parent.to === null)
      if (leavesFolder) this.#hold(file.id, parentUnit?.rootId ?? parent?.id ?? '')
      if (file.to === null) removals.push({ type: 'remove', file, path: file.from })
      else if (file.to !== file.from || leavesFolder) {
        const members = [file]
        unitOf.set(file.id, { rootId: file.id, members })
        units.push({ root: file, members, from: file.from, to: file.to, at: file.from, isAway: false })
      }
    }
    this.#settle(units)
    this.#queue(removals, units)
    return units
  }

  #hold(fileId: string, holderId: string): void {
    this.#holders.set(fileId, holderId)
    this.#strangers.set(holderId, (this.#strangers.get(holderId) ?? 0) + 1)
  }

  /** What is not in its place yet: nothing can come to be below it. */
  #settle(units: readonly Unit[]): void {
    for (const { members } of units) for (const { isFolder, to } of members) if (isFolder && to !== null) this.#unsettled.add(to)
    for (const { isFolder, from, to } of this.#options.files) if (isFolder && from === null && to !== null) this.#unsettled.add(to)
  }

  /** Removals first, the deepest of them first; then what comes, from the top down; then what moves. */
  #queue(removals: readonly Task[], units: readonly Unit[]): void {
    const arriving = this.#options.files.flatMap((file): PlaceTask[] => (file.from === null && file.to !== null ? [{ type: 'place', file, path: file.to }] : []))
    const places = sortDepthFirst(arriving, ({ path }) => path)
    this.#ready = [...removals.toReversed(), ...places, ...units.map((unit): Task => ({ type: 'move', unit }))]
  }

  #run(): void {
    // The list grows while it is worked through: a step wakes others.
    for (let index = 0; index < this.#ready.length; index += 1) {
      const task = this.#ready[index]
      if (task === undefined) continue
      const obstacle = this.#obstacle(task)
      if (obstacle === undefined) this.#perform(task)
      else this.#wait(obstacle, task)
    }
    this.#ready = []
  }

  #wait(key: string, task: Task): void {
    const tasks = this.#waiting.get(key)
    if (tasks === undefined) this.#waiting.set(key, [task])
    else tasks.push(task)
  }

  /** What a task still waits for, as a key for `#wake`. */
  #obstacle(task: Task): string | undefined {
    switch (task.type) {
      case 'remove':
        return this.#isHeldUp(task.file.id) ? `empty ${task.file.id}` : undefined
      case 'place':
        return this.#placeObstacle(task.path)
      case 'move':
        return !task.unit.isAway && this.#isHeldUp(task.unit.root.id) ? `empty ${task.unit.root.id}` : this.#placeObstacle(task.unit.to)
    }
  }

  #isHeldUp(id: string): boolean {
    return (this.#strangers.get(id) ?? 0) > 0
  }

  #placeObstacle(path: string): string | undefined {
    if (this.#present.has(path)) return `free ${path}`
    const parent = parentOf(path)
    return this.#unsettled.has(parent) ? `folder ${parent}` : undefined
  }

  #perform(task: Task): void {
    switch (task.type) {
      case 'remove':
        this.#steps.push({ type: 'deleted', file: task.file, path: task.path })
        this.#left(task.file, [task.path])
        return
      case 'place':
        this.#steps.push({ type: task.file.isNew ? 'created' : 'restored', file: task.file, path: task.path })
        this.#arrived(task.path)
        return
      case 'move':
        this.#move(task.unit, task.unit.to)
        for (const { to } of task.unit.members) if (to !== null) this.#arrived(to)
        return
    }
  }

  #stepAside(unit: Unit): void {
    this.#asides += 1
    this.#move(unit, this.#options.asidePath(this.#asides))
  }

  #move(unit: Unit, to: string): void {
    const { root, members, from, at } = unit
    const moves = members.map((file) => {
      const rest = (file.from ?? '').slice(from.length)
      return { file, from: `${at}${rest}`, to: `${to}${rest}` }
    })
    this.#steps.push({ type: 'moved', moves })
    const wasAway = unit.isAway
    unit.at = to
    unit.isAway = true
    if (!wasAway) this.#left(root, moves.map((move) => move.from))
  }

  #left(root: RewoundFile, paths: readonly string[]): void {
    for (const path of paths) {
      this.#present.delete(path)
      this.#wake(`free ${path}`)
    }
    const holder = this.#holders.get(root.id)
    if (holder === undefined) return
    this.#strangers.set(holder, (this.#strangers.get(holder) ?? 1) - 1)
    if (!this.#isHeldUp(holder)) this.#wake(`empty ${holder}`)
  }

  #arrived(path: string): void {
    this.#present.add(path)
    this.#unsettled.delete(path)
    this.#wake(`folder ${path}`)
  }

  #wake(key: string): void {
    const tasks = this.#waiting.get(key)
    if (tasks === undefined) return
    this.#waiting.delete(key)
    for (const task of tasks) this.#ready.push(task)
  }
}

/** Removals in a row, each folder before its content: the order that the journal has for every removal. */
function sortRemovals(steps: readonly RewindStep[]): readonly RewindStep[] {
  const sorted: RewindStep[] = []
  let run: Extract<RewindStep, { type: 'deleted' }>[] = []
  const flush = (): void => {
    for (const step of sortDepthFirst(run, ({ path }) => path)) sorted.push(step)
    run = []
  }
  for (const step of steps) {
    if (step.type === 'deleted') {
      run.push(step)
      continue
    }
    flush()
    sorted.push(step)
  }
  flush()
  return sorted
}

type PresentFile = RewoundFile & { readonly from: string }

function isPresent(file: RewoundFile): file is PresentFile {
  return file.from !== null
}

/** By path, a folder right before its content: `/` counts less than any other character. */
export function sortDepthFirst<Item>(items: readonly Item[], pathOf: (item: Item) => string): Item[] {
  const keyed = items.map((item) => ({ item, key: pathOf(item).replaceAll('/', '\u0001') }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ item }) => item)
}

function depth(path: string): number {
  return path.split('/').length
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
