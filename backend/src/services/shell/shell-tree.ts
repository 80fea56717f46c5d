/**
 * The workspace as a script sees it: what the database has, loaded folder by folder as the script looks, with the script's own changes over it in memory.
 * A file keeps its identity wherever it is moved, so that afterwards the moves can be told from what was deleted and made anew.
 */
import type { FileFact, FolderFacts, TreeFact } from './shell-protocol.ts'

/** Bytes that the database has, or bytes that the script wrote. */
export type NodeContent = { readonly type: 'stored'; readonly hash: string; readonly size: number } | { readonly type: 'bytes'; readonly chunks: readonly Uint8Array[]; readonly size: number }

interface NodeParts {
  /** Tells two nodes apart, as an inode number does. */
  readonly serial: number
  name: string
  /** Null: in no folder any more. */
  parent: FolderNode | null
  mode: number
  /** Milliseconds since 1970. */
  time: number
}

export interface FileNode extends NodeParts {
  readonly type: 'file'
  /** Where and what the database says it is; null for what the script made. */
  readonly base: { readonly path: string; readonly hash: string } | null
  content: NodeContent
}

export interface FolderNode extends NodeParts {
  readonly type: 'folder'
  readonly base: { readonly path: string } | null
  readonly children: Map<string, TreeNode>
  /** What the database has in it, by the name there. */
  readonly original: Map<string, TreeNode>
  /** It vanishes with the script. */
  readonly isScratch: boolean
  isLoaded: boolean
}

export type TreeNode = FileNode | FolderNode

/** Where facts come from. */
export interface TreeSource {
  list(path: string): Promise<FolderFacts>
  /** Everything below, however much. */
  below(path: string): Promise<FolderFacts>
}

/** Folders of the script alone: where it may put what it needs only while it runs, and where the interpreter puts what passes between commands. */
const SCRATCH = [
  { inside: '/', name: 'tmp' },
  { inside: '/', name: 'dev' },
  { inside: '/dev', name: 'fd' },
]
const FILE_MODE = 0o644
const FOLDER_MODE = 0o755

export class ShellTree {
  readonly root = newFolder({ name: '', base: { path: '/' } })
  readonly #source: TreeSource
  readonly #loading = new Map<FolderNode, Promise<void>>()

  constructor(source: TreeSource) {
    this.#source = source
  }

  /** What is at an absolute path without `.` and `..`. */
  async find(path: string): Promise<TreeNode | undefined> {
    let node: TreeNode | undefined = this.root
    for (const name of segments(path)) {
      if (node?.type !== 'folder') return undefined
      node = (await this.childrenOf(node)).get(name)
    }
    return node
  }

  async childrenOf(folder: FolderNode): Promise<ReadonlyMap<string, TreeNode>> {
    await this.#load(folder)
    return folder.children
  }

  /** Everything below is known after this: who removes a folder must have seen what is in it. */
  async loadBelow(folder: FolderNode): Promise<void> {
    if (!folder.isLoaded && folder.base !== null) await this.#loadOnce(folder, (path) => this.#source.below(path))
    for (const child of folder.children.values()) if (child.type === 'folder') await this.loadBelow(child)
  }

  /** An empty file at a free place. What was removed from the place becomes its past: it is the same file with new content. */
  async addFile(folder: FolderNode, name: string): Promise<FileNode> {
    await this.#load(folder)
    const past = folder.original.get(name)
    const isRevived = past?.type === 'file' && past.parent === null
    const node: FileNode = isRevived ? past : { ...newParts(name, FILE_MODE), type: 'file', base: null, content: noBytes() }
    node.content = noBytes()
    this.attach(node, folder, name)
    return node
  }

  /** An empty folder at a free place; like a file, it may be one that was removed there. */
  async addFolder(folder: FolderNode, name: string): Promise<FolderNode> {
    await this.#load(folder)
    const past = folder.original.get(name)
    const node = past?.type === 'folder' && past.parent === null ? past : newFolder({ name, base: null })
    if (node === past) {
      // It was removed with what was in it.
      await this.loadBelow(node)
      for (const child of [...node.children.values()]) this.detach(child)
    }
    this.attach(node, folder, name)
    return node
  }

  attach(node: TreeNode, folder: FolderNode, name: string): void {
    if (node.parent !== null) this.detach(node)
    node.parent = folder
    node.name = name
    node.time = Date.now()
    folder.children.set(name, node)
    folder.time = node.time
  }

  detach(node: TreeNode): void {
    if (node.parent === null) return
    node.parent.children.delete(node.name)
    node.parent.time = Date.now()
    node.parent = null
  }

  async #load(folder: FolderNode): Promise<void> {
    if (folder.isLoaded) return
    await this.#loadOnce(folder, (path) => this.#source.list(path))
  }

  #loadOnce(folder: FolderNode, ask: (path: string) => Promise<FolderFacts>): Promise<void> {
    const running = this.#loading.get(folder)
    if (running !== undefined) return running
    const loading = this.#fill(folder, ask).finally(() => this.#loading.delete(folder))
    this.#loading.set(folder, loading)
    return loading
  }

  async #fill(folder: FolderNode, ask: (path: string) => Promise<FolderFacts>): Promise<void> {
    if (folder.base === null) return
    const { entries, isDeep } = await ask(folder.base.path)
    const folders = new Map([[folder.base.path, folder]])
    // Parents stand before their content.
    for (const fact of entries) {
      const parent = folders.get(parentOf(fact.path))
      if (parent === undefined) continue
      const node = baseNode(fact, parent)
      parent.children.set(node.name, node)
      parent.original.set(node.name, node)
      if (node.type === 'folder') {
        folders.set(fact.path, node)
      }
    }
    for (const known of isDeep ? folders.values() : [folder]) {
      known.isLoaded = true
      addScratch(known)
    }
  }
}

/** A workspace's own folder of that name comes first. */
function addScratch(folder: FolderNode): void {
  for (const { inside, name } of SCRATCH) {
    if (inside !== folder.base?.path || folder.children.has(name)) continue
    const scratch = newFolder({ name, base: null, isScratch: true })
    scratch.parent = folder
    folder.children.set(name, scratch)
  }
}

/** Where a node is now; undefined when it is in no folder of the workspace, or in one that vanishes. */
export function livePath(node: TreeNode): string | undefined {
  const names: string[] = []
  let at: TreeNode = node
  while (at.parent !== null) {
    if (at.type === 'folder' && at.isScratch) return undefined
    names.unshift(at.name)
    at = at.parent
  }
  return at.name === '' ? `/${names.join('/')}` : undefined
}

export function segments(path: string): string[] {
  return path.split('/').filter((name) => name !== '')
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

function baseNode({ path, file }: TreeFact, parent: FolderNode): TreeNode {
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (file === null) return { ...newFolder({ name, base: { path } }), parent }
  return { ...fileOf(path, file), name, parent }
}

function fileOf(path: string, { hash, size, time }: FileFact): FileNode {
  return { ...newParts('', FILE_MODE), time, type: 'file', base: { path, hash }, content: { type: 'stored', hash, size } }
}

function newFolder({ name, base, isScratch = false }: { readonly name: string; readonly base: FolderNode['base']; readonly isScratch?: boolean }): FolderNode {
  return { ...newParts(name, FOLDER_MODE), type: 'folder', base, children: new Map(), original: new Map(), isScratch, isLoaded: base === null }
}

let lastSerial = 0

function newParts(name: string, mode: number): NodeParts {
  return { serial: ++lastSerial, name, parent: null, mode, time: Date.now() }
}

function noBytes(): NodeContent {
  return { type: 'bytes', chunks: [], size: 0 }
}
