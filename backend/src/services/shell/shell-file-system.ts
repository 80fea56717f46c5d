/** The file system that the shell's commands use: paths of the workspace over a tree in memory. Errors read as those of Node, which the commands understand. */
import type { CpOptions, FileContent, FsStat, IFileSystem, MkdirOptions, RmOptions } from 'just-bash'
import { posix } from 'node:path'
import { characterFault, MAX_PATH_BYTES, MAX_SEGMENT_BYTES } from '../files/path-fault.ts'
import type { FileNode, FolderNode, ShellTree, TreeNode } from './shell-tree.ts'
import type { WrittenFiles } from './written-files.ts'

type DirectoryEntries = Awaited<ReturnType<NonNullable<IFileSystem['readdirWithFileTypes']>>>
type ReadOptions = Parameters<IFileSystem['readFile']>[1]
type WriteOptions = Parameters<IFileSystem['writeFile']>[2]

/** Places that are no files: what is written there goes to a function, reading gives nothing. */
export type Devices = ReadonlyMap<string, (bytes: Uint8Array) => void>

export interface ShellFileSystemDeps {
  readonly tree: ShellTree
  readonly written: WrittenFiles
  readonly devices: Devices
}

export class ShellFileSystem implements IFileSystem {
  readonly #tree: ShellTree
  readonly #written: WrittenFiles
  readonly #devices: Devices

  constructor({ tree, written, devices }: ShellFileSystemDeps) {
    this.#tree = tree
    this.#written = written
    this.#devices = devices
  }

  async readFile(path: string, options?: ReadOptions): Promise<string> {
    return Buffer.from(await this.readFileBuffer(path)).toString(encodingOf(options))
  }

  async readFileBuffer(path: string): Promise<Uint8Array> {
    if (this.#devices.has(clean(path))) return new Uint8Array()
    const node = await this.#require(path, 'open')
    if (node.type === 'folder') throw fault('EISDIR', 'read', path)
    return this.#written.read(node)
  }

  async writeFile(path: string, content: FileContent, options?: WriteOptions): Promise<void> {
    const bytes = bytesOf(content, options)
    const device = this.#devices.get(clean(path))
    if (device !== undefined) return device(bytes)
    this.#written.replace(await this.#fileForWriting(path), bytes)
  }

  async appendFile(path: string, content: FileContent, options?: WriteOptions): Promise<void> {
    const bytes = bytesOf(content, options)
    const device = this.#devices.get(clean(path))
    if (device !== undefined) return device(bytes)
    await this.#written.append(await this.#fileForWriting(path), bytes)
  }

  async exists(path: string): Promise<boolean> {
    // The interpreter looks for commands in /usr/bin when there is one; its own commands are no files, so to it there is none.
    if (clean(path) === '/usr/bin') return false
    return this.#devices.has(clean(path)) || (await this.#tree.find(clean(path))) !== undefined
  }

  async stat(path: string): Promise<FsStat> {
    if (this.#devices.has(clean(path))) return { isFile: false, isDirectory: false, isSymbolicLink: false, mode: 0o666, size: 0, mtime: new Date() }
    const node = await this.#require(path, 'stat')
    const isFile = node.type === 'file'
    return { isFile, isDirectory: !isFile, isSymbolicLink: false, mode: node.mode, size: isFile ? node.content.size : 0, mtime: new Date(node.time), identity: String(node.serial) }
  }

  lstat(path: string): Promise<FsStat> {
    return this.stat(path)
  }

  async mkdir(path: string, options?: MkdirOptions): Promise<void> {
    const existing = await this.#tree.find(clean(path))
    if (existing !== undefined) {
      if (options?.recursive === true && existing.type === 'folder') return
      throw fault('EEXIST', 'mkdir', path)
    }
    const parent = posix.dirname(clean(path))
    if (options?.recursive === true) await this.mkdir(parent, options)
    const { folder, name } = await this.#place(path, 'mkdir')
    this.#written.countNew()
    await this.#tree.addFolder(folder, name)
  }

  async readdir(path: string): Promise<string[]> {
    return [...(await this.#entries(path)).keys()].sort()
  }

  async readdirWithFileTypes(path: string): Promise<DirectoryEntries> {
    const entries = [...(await this.#entries(path)).entries()].sort(([a], [b]) => (a < b ? -1 : 1))
    return entries.map(([name, { type }]) => ({ name, isFile: type === 'file', isDirectory: type === 'folder', isSymbolicLink: false }))
  }

  async rm(path: string, options?: RmOptions): Promise<void> {
    const node = await this.#tree.find(clean(path))
    if (node === undefined) {
      if (options?.force === true) return
      throw fault('ENOENT', 'rm', path)
    }
    if (node.parent === null) throw fault('EPERM', 'rm', path)
    if (node.type === 'folder') {
      if ((await this.#tree.childrenOf(node)).size > 0 && options?.recursive !== true) throw fault('ENOTEMPTY', 'rm', path)
      await this.#tree.loadBelow(node)
    }
    this.#tree.detach(node)
  }

  async cp(source: string, destination: string, options?: CpOptions): Promise<void> {
    const node = await this.#require(source, 'cp')
    if (node.type === 'file') return this.#copyFile(node, destination)
    if (options?.recursive !== true) throw fault('EISDIR', 'cp', source)
    if (isInside(clean(destination), clean(source))) throw fault('EINVAL', 'cp', destination)
    await this.mkdir(destination, { recursive: true })
    for (const name of [...(await this.#tree.childrenOf(node)).keys()]) await this.cp(posix.join(source, name), posix.join(destination, name), options)
  }

  async mv(source: string, destination: string): Promise<void> {
    const node = await this.#require(source, 'mv')
    if (node.parent === null || isInside(clean(destination), clean(source))) throw fault('EINVAL', 'mv', source)
    const target = await this.#tree.find(clean(destination))
    if (target === node) return
    if (target !== undefined) return this.#moveOver(node, target, destination)
    const { folder, name } = await this.#place(destination, 'mv')
    if (node.base !== null) this.#written.countNew()
    if (node.base !== null || node.type === 'folder') return this.#tree.attach(node, folder, name)
    // What the script made takes the place of what it removed there, and so becomes its new content.
    const file = await this.#tree.addFile(folder, name)
    this.#takeOver(node, file)
  }

  resolvePath(base: string, path: string): string {
    return posix.resolve('/', base, path)
  }

  /** Used only to show off patterns that the shell has expanded already. */
  getAllPaths(): string[] {
    return []
  }

  /** Files of a workspace have no modes: it counts while the script runs. */
  async chmod(path: string, mode: number): Promise<void> {
    const node = await this.#require(path, 'chmod')
    node.mode = mode
  }

  /** Like a mode, a time counts while the script runs. */
  async utimes(path: string, _accessed: Date, changed: Date): Promise<void> {
    const node = await this.#require(path, 'utimes')
    node.time = changed.getTime()
  }

  symlink(_target: string, path: string): Promise<void> {
    return Promise.reject(fault('EPERM', 'symlink', path))
  }

  link(_existing: string, path: string): Promise<void> {
    return Promise.reject(fault('EPERM', 'link', path))
  }

  async readlink(path: string): Promise<string> {
    await this.#require(path, 'readlink')
    throw fault('EINVAL', 'readlink', path)
  }

  async realpath(path: string): Promise<string> {
    await this.#require(path, 'realpath')
    return clean(path)
  }

  async #copyFile(node: FileNode, destination: string): Promise<void> {
    const device = this.#devices.get(clean(destination))
    if (device !== undefined) return device(await this.#written.read(node))
    const target = await this.#fileForWriting(destination)
    if (target !== node) this.#written.copy(node, target)
  }

  async #moveOver(node: TreeNode, target: TreeNode, destination: string): Promise<void> {
    if (target.type === 'folder' && (node.type !== 'folder' || (await this.#tree.childrenOf(target)).size > 0)) throw fault(node.type === 'folder' ? 'ENOTEMPTY' : 'EISDIR', 'mv', destination)
    if (target.type === 'file' && node.type === 'folder') throw fault('ENOTDIR', 'mv', destination)
    const { parent: folder, name } = target
    if (folder === null) throw fault('EPERM', 'mv', destination)
    if (node.type === 'file' && target.type === 'file' && node.base === null) return this.#takeOver(node, target)
    this.#tree.detach(target)
    this.#tree.attach(node, folder, name)
  }

  /** The content of a file that the script made becomes that of another, which stays the file that it is. */
  #takeOver(node: TreeNode, target: FileNode): void {
    if (node.type === 'file') this.#written.copy(node, target)
    this.#tree.detach(node)
  }

  async #fileForWriting(path: string): Promise<FileNode> {
    const existing = await this.#tree.find(clean(path))
    if (existing?.type === 'folder') throw fault('EISDIR', 'open', path)
    if (existing !== undefined) return existing
    // As with the other tools, folders above a new file are made; the interpreter could not survive a refusal here.
    const above = posix.dirname(clean(path))
    if ((await this.#tree.find(above)) === undefined) await this.mkdir(above, { recursive: true })
    const { folder, name } = await this.#place(path, 'open')
    this.#written.countNew()
    return this.#tree.addFile(folder, name)
  }

  /** The folder that something new goes into, and its name there. */
  async #place(path: string, action: string): Promise<{ readonly folder: FolderNode; readonly name: string }> {
    const target = clean(path)
    const name = posix.basename(target)
    if (name === '') throw fault('EEXIST', action, path)
    if (characterFault(name) !== undefined) throw fault('EINVAL', action, path)
    if (Buffer.byteLength(name) > MAX_SEGMENT_BYTES || Buffer.byteLength(target) > MAX_PATH_BYTES) throw fault('ENAMETOOLONG', action, path)
    const folder = await this.#tree.find(posix.dirname(target))
    if (folder === undefined) throw fault('ENOENT', action, path)
    if (folder.type === 'file') throw fault('ENOTDIR', action, path)
    return { folder, name }
  }

  async #entries(path: string): Promise<ReadonlyMap<string, TreeNode>> {
    const node = await this.#require(path, 'scandir')
    if (node.type === 'file') throw fault('ENOTDIR', 'scandir', path)
    return this.#tree.childrenOf(node)
  }

  async #require(path: string, action: string): Promise<TreeNode> {
    const node = await this.#tree.find(clean(path))
    if (node === undefined) throw fault('ENOENT', action, path)
    return node
  }
}

const REASONS = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  EISDIR: 'illegal operation on a directory',
  EEXIST: 'file already exists',
  ENOTEMPTY: 'directory not empty',
  EPERM: 'operation not permitted',
  EINVAL: 'invalid argument',
  ENAMETOOLONG: 'file name too long',
} as const

function fault(code: keyof typeof REASONS, action: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${REASONS[code]}, ${action} '${path}'`), { code })
}

/** Absolute, composed, without `.` and `..`: nothing is above the root. */
function clean(path: string): string {
  const resolved = posix.resolve('/', path).normalize('NFC')
  return resolved === '//' ? '/' : resolved
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

function encodingOf(options: ReadOptions | WriteOptions): BufferEncoding {
  const encoding = typeof options === 'string' ? options : options?.encoding
  return encoding === 'binary' ? 'latin1' : (encoding ?? 'utf8')
}

function bytesOf(content: FileContent, options: WriteOptions): Uint8Array {
  // A copy: the caller may go on using its bytes.
  return typeof content === 'string' ? Buffer.from(content, encodingOf(options)) : Uint8Array.from(content)
}
