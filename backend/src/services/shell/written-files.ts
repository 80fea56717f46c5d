import type { ShellLimits } from './shell-protocol.ts'
import { sha256, type StoredFile } from './shell-content.ts'
import type { FileNode, NodeContent } from './shell-tree.ts'

export interface WrittenFilesDeps {
  readonly limits: ShellLimits
  readonly readStored: (file: StoredFile) => Promise<Uint8Array>
}

/** The content of files: what is stored is read when asked for, what the script writes is kept in memory within bounds. */
export class WrittenFiles {
  readonly #deps: WrittenFilesDeps
  #bytes = 0
  #files = 0

  constructor(deps: WrittenFilesDeps) {
    this.#deps = deps
  }

  async read({ content, base }: FileNode): Promise<Uint8Array> {
    const { readFileBytes } = this.#deps.limits
    if (content.type === 'bytes') return content.chunks.length === 1 && content.chunks[0] !== undefined ? content.chunks[0] : Buffer.concat(content.chunks)
    if (content.size > readFileBytes) throw new Error(`EFBIG: file too large (${content.size} bytes; the shell reads at most ${readFileBytes}), read`)
    return this.#deps.readStored({ path: base?.hash === content.hash ? base.path : null, hash: content.hash, size: content.size })
  }

  async readWithHash(node: FileNode): Promise<{ readonly bytes: Uint8Array; readonly hash: string }> {
    const bytes = await this.read(node)
    return { bytes, hash: sha256(bytes) }
  }

  replace(node: FileNode, bytes: Uint8Array): void {
    if (node.base !== null && node.content.type === 'stored') this.countNew()
    this.#set(node, { type: 'bytes', chunks: [bytes], size: bytes.length })
  }

  async append(node: FileNode, bytes: Uint8Array): Promise<void> {
    const { content } = node
    if (content.type === 'stored') return this.replace(node, Buffer.concat([await this.read(node), bytes]))
    // A file that grows line by line is joined now and then, not each time.
    const chunks = content.chunks.length < 512 ? [...content.chunks, bytes] : [Buffer.concat([...content.chunks, bytes])]
    this.#set(node, { type: 'bytes', chunks, size: content.size + bytes.length })
  }

  copy(from: FileNode, to: FileNode): void {
    this.#set(to, from.content)
    to.mode = from.mode
  }

  /** One more file or folder that the change set will have to touch. */
  countNew(): void {
    this.#files += 1
    const { writtenFiles } = this.#deps.limits
    if (this.#files > writtenFiles) throw new Error(`ENOSPC: no space left on device: a script can make or change at most ${writtenFiles} files and folders, write`)
  }

  #set(node: FileNode, content: NodeContent): void {
    const { writtenBytes } = this.#deps.limits
    const bytes = this.#bytes - held(node.content) + held(content)
    if (bytes > writtenBytes) throw new Error(`ENOSPC: no space left on device: a script can write at most ${writtenBytes} bytes, write`)
    this.#bytes = bytes
    node.content = content
    node.time = Date.now()
  }
}

function held(content: NodeContent): number {
  return content.type === 'bytes' ? content.size : 0
}
