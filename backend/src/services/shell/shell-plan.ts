/**
 * What a script did, as the fewest operations that lead from the tree of the database to the tree that it left. Only the end counts: a temporary file that
 * is gone again, or a file that was removed and made anew with the same bytes, is no change. A moved file stays that file.
 */
import { randomUUID } from 'node:crypto'
import type { ShellGuard, ShellOperation, ShellPlan, TreeFact } from './shell-protocol.ts'
import { type FileNode, type FolderNode, livePath, type ShellTree, type TreeNode } from './shell-tree.ts'

/** The bytes of a node, and their SHA-256 in hex. */
export type ReadNode = (node: FileNode) => Promise<{ readonly bytes: Uint8Array; readonly hash: string }>

export async function planChanges(tree: ShellTree, read: ReadNode): Promise<ShellPlan> {
  const planner = new Planner(tree, read)
  await planner.removeIn(tree.root)
  await planner.placeIn(tree.root)
  planner.removeDeferred()
  return { guards: planner.guards, operations: planner.operations, scratchFiles: scratchFiles(tree.root) }
}

/** Where a node is while the operations are carried out one after another. */
interface Spot {
  readonly parent: FolderNode
  readonly name: string
}

class Planner {
  readonly #tree: ShellTree
  readonly #read: ReadNode
  readonly #operations: ShellOperation[] = []
  readonly #guards = new Map<string, ShellGuard>()
  /** Removed folders out of which something was moved: they go last. */
  readonly #deferred: FolderNode[] = []
  readonly #spots = new Map<TreeNode, Spot>()
  readonly #occupants = new Map<FolderNode, Map<string, TreeNode>>()
  readonly #inProgress = new Set<TreeNode>()
  readonly #placed = new Set<TreeNode>()

  constructor(tree: ShellTree, read: ReadNode) {
    this.#tree = tree
    this.#read = read
  }

  get operations(): readonly ShellOperation[] {
    return this.#operations
  }

  get guards(): readonly ShellGuard[] {
    return [...this.#guards.values()]
  }

  /** First of all what is gone goes: nothing has moved yet, and its places become free. */
  async removeIn(folder: FolderNode): Promise<void> {
    for (const [name, node] of folder.original) {
      const isLive = livePath(node) !== undefined
      // What was moved to where things vanish has perhaps never been looked into.
      if (!isLive && node.type === 'folder') await this.#tree.loadBelow(node)
      if (!isLive && !hasSurvivor(node)) {
        this.#guardRemoval(node)
        this.#operations.push({ type: 'remove', path: basePath(node), origin: basePath(node) })
        continue
      }
      this.#put(node, { parent: folder, name })
      if (!isLive && node.type === 'folder') this.#defer(node)
      if (node.type === 'folder') await this.removeIn(node)
    }
  }

  /** From the top down, so that the folder that something goes into is where it will be. */
  async placeIn(folder: FolderNode): Promise<void> {
    for (const node of folder.children.values()) {
      if (node.type === 'folder' && node.isScratch) continue
      await this.#place(node)
      if (node.type === 'folder') await this.placeIn(node)
    }
  }

  removeDeferred(): void {
    const inner = (node: TreeNode): boolean => {
      const parent = this.#spots.get(node)?.parent
      return parent !== undefined && (this.#deferred.includes(parent) || inner(parent))
    }
    for (const folder of this.#deferred) if (!inner(folder)) this.#operations.push({ type: 'remove', path: this.#pathNow(folder), origin: basePath(folder) })
  }

  async #place(node: TreeNode): Promise<void> {
    const { parent } = node
    if (parent === null || this.#placed.has(node) || this.#inProgress.has(node)) return
    this.#inProgress.add(node)
    if (parent.parent !== null) await this.#place(parent)
    const spot = this.#spots.get(node)
    if (spot?.parent !== parent || spot.name !== node.name) await this.#bring(node, parent)
    if (node.type === 'file') await this.#write(node)
    this.#inProgress.delete(node)
    this.#placed.add(node)
  }

  /** To its final place: a move, or a new folder; a new file is written afterwards. */
  async #bring(node: TreeNode, parent: FolderNode): Promise<void> {
    await this.#clear(parent, node.name)
    this.#guardPlace(parent, node.name)
    if (node.base !== null) {
      this.#guardMoved(node)
      this.#operations.push({ type: 'move', from: this.#pathNow(node), to: childOf(this.#pathNow(parent), node.name), origin: node.base.path })
    } else if (node.type === 'folder') this.#operations.push({ type: 'folder', path: childOf(this.#pathNow(parent), node.name) })
    this.#put(node, { parent, name: node.name })
  }

  /** Whatever still stands at a place moves on to its own; what cannot yet (two that change places) steps aside. */
  async #clear(parent: FolderNode, name: string): Promise<void> {
    const before = this.#occupants.get(parent)?.get(name)
    if (before === undefined) return
    if (livePath(before) !== undefined) await this.#place(before)
    const occupant = this.#occupants.get(parent)?.get(name)
    if (occupant === undefined) return
    const root = rootOf(parent)
    const aside = `.moving-${randomUUID()}`
    this.#operations.push({ type: 'move', from: this.#pathNow(occupant), to: `/${aside}`, origin: null })
    this.#put(occupant, { parent: root, name: aside })
  }

  async #write(node: FileNode): Promise<void> {
    if (node.base !== null && node.content.type === 'stored' && node.content.hash === node.base.hash) return
    const { bytes, hash } = await this.#read(node)
    if (hash === node.base?.hash) return
    if (node.base !== null) this.#guard({ type: 'file', path: node.base.path, hash: node.base.hash })
    this.#operations.push({ type: 'write', path: this.#pathNow(node), content: bytes })
  }

  #defer(folder: FolderNode): void {
    this.#deferred.push(folder)
    this.#guard({ type: 'folder', path: basePath(folder) })
    this.#guard({ type: 'content', path: basePath(folder), below: factsBelow(folder) })
  }

  #put(node: TreeNode, spot: Spot): void {
    const before = this.#spots.get(node)
    if (before !== undefined && this.#occupants.get(before.parent)?.get(before.name) === node) this.#occupants.get(before.parent)?.delete(before.name)
    this.#spots.set(node, spot)
    const occupants = this.#occupants.get(spot.parent) ?? new Map<string, TreeNode>()
    this.#occupants.set(spot.parent, occupants.set(spot.name, node))
  }

  #pathNow(node: TreeNode): string {
    const spot = this.#spots.get(node)
    return spot === undefined ? '/' : childOf(this.#pathNow(spot.parent), spot.name)
  }

  #guardRemoval(node: TreeNode): void {
    if (node.type === 'file') return this.#guardMoved(node)
    this.#guard({ type: 'folder', path: basePath(node) })
    this.#guard({ type: 'content', path: basePath(node), below: factsBelow(node) })
  }

  #guardMoved(node: TreeNode): void {
    const path = basePath(node)
    this.#guard(node.type === 'folder' ? { type: 'folder', path } : { type: 'file', path, hash: node.base?.hash ?? '' })
  }

  /** The folder must still be there, and the place as free as it was. */
  #guardPlace(parent: FolderNode, name: string): void {
    if (parent.base === null) return
    if (parent.base.path !== '/') this.#guard({ type: 'folder', path: parent.base.path })
    if (!parent.original.has(name)) this.#guard({ type: 'absent', path: childOf(parent.base.path, name) })
  }

  #guard(guard: ShellGuard): void {
    this.#guards.set(`${guard.type === 'content' ? 'content' : 'place'} ${guard.path}`, guard)
  }
}

/** True when something that was in the folder lives on elsewhere. */
function hasSurvivor(node: TreeNode): boolean {
  return node.type === 'folder' && [...node.original.values()].some((child) => livePath(child) !== undefined || hasSurvivor(child))
}

function factsBelow(folder: FolderNode): TreeFact[] {
  return [...folder.original.values()].flatMap((node) => {
    const path = basePath(node)
    return node.type === 'file' ? [{ path, file: { hash: node.base?.hash ?? '', size: 0, time: 0 } }] : [{ path, file: null }, ...factsBelow(node)]
  })
}

function scratchFiles(root: FolderNode): number {
  const count = (folder: FolderNode): number => [...folder.children.values()].reduce((sum, node) => sum + (node.type === 'file' ? 1 : count(node)), 0)
  const scratch = root.children.get('tmp')
  return scratch?.type === 'folder' && scratch.isScratch ? count(scratch) : 0
}

function basePath(node: TreeNode): string {
  if (node.base === null) throw new Error('what a script made has no place in the database')
  return node.base.path
}

function childOf(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`
}

function rootOf(folder: FolderNode): FolderNode {
  return folder.parent === null ? folder : rootOf(folder.parent)
}
