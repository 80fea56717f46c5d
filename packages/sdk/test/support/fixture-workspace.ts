import type { Agent, Chat, FileEntry, FileVersion, Skill } from '@buildscale/protocol'
import { createHash, randomUUID } from 'node:crypto'
import { FixtureChat, now } from './fixture-chat.ts'

export interface StoredFile {
  readonly id: string
  readonly versions: { readonly info: FileVersion; readonly bytes: Buffer }[]
}

/** A workspace of the fixture server: files and chats in memory. */
export class FixtureWorkspace {
  readonly id = randomUUID()
  readonly name: string
  readonly files = new Map<string, StoredFile>()
  readonly chats = new Map<string, FixtureChat>()
  readonly agents: Agent[] = [fixtureAgent('assistant', 'Answers and works.'), fixtureAgent('reviewer', 'Reads and reports.')]
  readonly skills: Skill[] = []
  changeSeq = 0

  constructor(name: string) {
    this.name = name
  }

  put(path: string, bytes: Buffer): { file: FileEntry; version: FileVersion; unchanged: boolean; created: boolean } {
    const file = this.files.get(path) ?? { id: randomUUID(), versions: [] }
    const hash = createHash('sha256').update(bytes).digest('hex')
    const last = file.versions.at(-1)
    const unchanged = last?.info.hash === hash
    const info: FileVersion = { number: file.versions.length + 1, hash, size: bytes.length, mime: mimeOf(path), author: { kind: 'user', id: null }, turn_id: null, tool_call_id: null, created_at: now() }
    if (!unchanged) {
      file.versions.push({ info, bytes })
      this.changeSeq += 1
    }
    this.files.set(path, file)
    return { file: this.entry(path, file), version: unchanged ? last.info : info, unchanged, created: last === undefined }
  }

  /** The entries of a folder, or of everything below it: folders first. Undefined when there is no such file or folder. */
  list(path: string, recursive: boolean): FileEntry[] | undefined {
    const own = this.files.get(path)
    if (own !== undefined) return [this.entry(path, own)]
    const prefix = path === '/' ? '/' : `${path}/`
    const below = [...this.files].filter(([name]) => name.startsWith(prefix))
    if (below.length === 0 && path !== '/') return undefined
    const folders = new Set(below.flatMap(([name]) => foldersBetween(prefix, name)))
    const entries = [...[...folders].sort().map((name) => folderEntry(name)), ...below.sort().map(([name, file]) => this.entry(name, file))]
    return recursive ? entries : entries.filter((entry) => !entry.path.slice(prefix.length).includes('/'))
  }

  entry(path: string, file: StoredFile): FileEntry {
    const info = file.versions.at(-1)?.info
    return { id: file.id, path, name: path.split('/').at(-1) ?? '', file_type: 'document', size: info?.size ?? 0, version: info?.number ?? 0, hash: info?.hash ?? '', mime: info?.mime ?? '', updated_at: info?.created_at ?? now() }
  }

  createChat(options: { title?: string; goal?: string; model?: string; agent?: string }): FixtureChat {
    const info: Chat = {
      id: randomUUID(),
      title: options.title ?? options.goal ?? 'New chat',
      agent: options.agent ?? 'assistant',
      model: options.model ?? 'offline:rules',
      mode: 'build',
      status: 'idle',
      last_seq: 0,
      created_at: now(),
      updated_at: now(),
    }
    const chat = new FixtureChat(info, {
      write: (path, content) => {
        const { version } = this.put(path, Buffer.from(content))
        return { version: version.number, changeSeq: this.changeSeq }
      },
    })
    this.chats.set(info.id, chat)
    return chat
  }
}

/** An agent of a workspace; with errors, a broken file. */
export function fixtureAgent(name: string, description: string | null, errors: Agent['errors'] = []): Agent {
  const isBroken = errors.length > 0
  const path = isBroken ? `/system/agents/${name}/AGENT.md` : null
  return { name, description, source: isBroken ? 'file' : 'built-in', path, version: isBroken ? 1 : null, model: null, temperature: null, tools: ['read'], max_steps: 100, skills: null, content: isBroken ? null : '---\n', errors, warnings: [] }
}

function foldersBetween(prefix: string, path: string): string[] {
  const segments = path.slice(prefix.length).split('/').slice(0, -1)
  return segments.map((_, index) => prefix + segments.slice(0, index + 1).join('/'))
}

function folderEntry(path: string): FileEntry {
  return { id: randomUUID(), path, name: path.split('/').at(-1) ?? '', file_type: 'folder', size: null, version: null, hash: null, mime: null, updated_at: now() }
}

function mimeOf(path: string): string {
  return path.endsWith('.md') ? 'text/markdown; charset=utf-8' : path.endsWith('.bin') ? 'application/octet-stream' : 'text/plain; charset=utf-8'
}
