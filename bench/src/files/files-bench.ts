/** Files in a real server, beside what others need for the same: all in one run, in turns. */
import type { FilesResource, ToolsResource } from '@buildscale/sdk'
import { join } from 'node:path'
import { GitRepository, ripgrep, writeDurably } from './baselines.ts'
import { type BenchServer, startBenchServer } from './bench-server.ts'
import { Durations } from './files-measurement.ts'
import { ToolCaller } from './tool-caller.ts'
import { binaryFiles, folderOf, pathOf, RARE, RARE_EVERY, type SampleFile, tarOf, textFiles } from './sample-files.ts'

export interface FilesBenchSettings {
  /** Files of the tree that is imported, searched and written to. */
  readonly tree: number
  readonly small: number
  readonly large: number
  /** Versions of the file that has many. */
  readonly versions: number
  /** How often the tree is imported. */
  readonly imports: number
  /** How often everything else is done before anything is measured, so that no figure is of code that has just been loaded. */
  readonly warmUps: number
  /** How often everything else is done. */
  readonly rounds: number
  /** Below this folder everything is kept while the bench runs. */
  readonly folder: string
}

export interface Watching {
  progress(line: string): void
  /** Ends everything. */
  readonly signal: AbortSignal
}

/** Of so many rounds one commits with Git: it takes the longest. */
const GIT_EVERY = 5
/** Of so many rounds one searches. */
const GREP_EVERY = 5

/** @throws Error when something that is measured does not do what it should */
export async function runFilesBench(settings: FilesBenchSettings, watching: Watching): Promise<Durations> {
  const server = await startBenchServer(settings.folder, watching.signal)
  const caller = new ToolCaller({ db: server.db, userId: (await server.client.me()).user.id })
  try {
    const bench = new FilesBench({ settings, watching, server, caller })
    return await bench.run()
  } finally {
    await caller.close()
    await server.close()
  }
}

interface Workspace {
  readonly id: string
  readonly files: FilesResource
  readonly tools: ToolsResource
}

interface FilesBenchDeps {
  readonly settings: FilesBenchSettings
  readonly watching: Watching
  readonly server: BenchServer
  readonly caller: ToolCaller
}

class FilesBench {
  readonly #settings: FilesBenchSettings
  readonly #watching: Watching
  readonly #server: BenchServer
  readonly #caller: ToolCaller
  readonly #durations = new Durations()

  constructor({ settings, watching, server, caller }: FilesBenchDeps) {
    this.#caller = caller
    this.#settings = settings
    this.#watching = watching
    this.#server = server
  }

  async run(): Promise<Durations> {
    const { tree: files, small: few, large: many } = this.#settings
    const tree = await this.#importTree()
    const small = await this.#fill('small', binaryFiles(few))
    const large = await this.#fill('large', binaryFiles(many))
    const versioned = await this.#versions(small)
    this.#progress('making the repository')
    const git = await GitRepository.create(join(this.#server.folder, 'repository'), textFiles(files))
    await this.#warmUp()
    await this.#quiet()
    this.#progress('measuring')
    for (let round = 0; round < this.#settings.rounds; round += 1) {
      this.#watching.signal.throwIfAborted()
      await this.#writes(round, { tree, git })
      if (round % GREP_EVERY === 0) await this.#searches(tree)
      await this.#sizes(round, { small, large })
      await this.#openings(versioned)
    }
    return this.#durations
  }

  /** Imports the tree again and again, each time into a new workspace; answers the last one. */
  async #importTree(): Promise<Workspace> {
    const { tree, imports } = this.#settings
    let last = await this.#workspace('tree 0')
    for (let index = 1; index <= imports; index += 1) {
      await this.#quiet()
      const workspace = await this.#workspace(`tree ${index}`)
      const { imported } = await this.#durations.time('import', () => workspace.files.import(tarOf(textFiles(tree))))
      if (imported !== tree) throw new Error(`${imported} of ${tree} files were imported`)
      this.#progress(`import ${index}/${imports}  ${Math.round((tree / (this.#durations.of('import').at(-1) ?? 1)) * 1_000)} files/s`)
      last = workspace
    }
    return last
  }

  async #fill(name: string, files: Iterable<SampleFile>): Promise<Workspace> {
    this.#progress(`filling the ${name} workspace`)
    const workspace = await this.#workspace(name)
    await workspace.files.import(tarOf(files))
    return workspace
  }

  async #workspace(name: string): Promise<Workspace> {
    const { id } = await this.#server.client.workspaces.create({ name })
    return { id, files: this.#server.client.files(id), tools: this.#server.client.tools(id) }
  }

  /** The calls that are measured afterwards, elsewhere. */
  async #warmUp(): Promise<void> {
    this.#progress('warming up')
    const { id, files, tools } = await this.#workspace('warm-up')
    for (let index = 0; index < this.#settings.warmUps; index += 1) {
      this.#watching.signal.throwIfAborted()
      const path = `/warm/file-${index % 100}.bin`
      await use(tools, 'write', { path, content: `\u0001 ${index}`, overwrite: true })
      await this.#caller.write(id, { path: `called/file-${index}.bin`, bytes: Buffer.from(path) })
      await use(tools, 'ls', { path: '/warm' })
      await files.content(path, { version: 1 }).then((content) => content.bytes())
      await writeDurably(join(this.#server.folder, 'warm'), { path: `file-${index}.bin`, bytes: Buffer.from(path) })
    }
  }

  /** Two files in a workspace: one with two versions, one with many. */
  async #versions(workspace: Workspace): Promise<FilesResource> {
    this.#progress('making versions')
    for (let number = 1; number <= this.#settings.versions; number += 1) {
      const bytes = `\0version ${number}`
      await workspace.files.put('/many.bin', bytes)
      if (number <= 2) await workspace.files.put('/two.bin', bytes)
    }
    return workspace.files
  }

  async #writes(round: number, { tree, git }: { readonly tree: Workspace; readonly git: GitRepository }): Promise<void> {
    const file = { path: `written/file-${round}.bin`, bytes: Buffer.from(`${'some bytes of one file '.repeat(60)}${round}`) }
    const ours = () => this.#durations.time('write', () => this.#caller.write(tree.id, file))
    const disk = () => this.#durations.time('fsync', () => writeDurably(join(this.#server.folder, 'plain'), file))
    if (round % 2 === 0) await ours()
    await disk()
    if (round % 2 === 1) await ours()
    await this.#durations.time('write-http', () => use(tree.tools, 'write', { path: `/${file.path}.http`, content: file.bytes.toString() }))
    if (round % GIT_EVERY === 0) await this.#durations.time('git', () => git.commit(file))
  }

  async #searches(tree: Workspace): Promise<void> {
    const expected = Math.ceil(this.#settings.tree / RARE_EVERY)
    const output = await this.#durations.time('grep', () => use(tree.tools, 'grep', { pattern: RARE }))
    const found = await this.#durations.time('ripgrep', () => ripgrep(this.#server.mirrorOf(tree.id)))
    const matches = typeof output === 'object' && output !== null && 'matches' in output && Array.isArray(output.matches) ? output.matches.length : -1
    if (matches !== expected || found !== expected) throw new Error(`the search found ${matches} lines, ripgrep ${found}, where there are ${expected}`)
  }

  /** The same in the small and in the large workspace, each time elsewhere. */
  async #sizes(round: number, { small, large }: { readonly small: Workspace; readonly large: Workspace }): Promise<void> {
    const cases = [
      { workspace: small, count: this.#settings.small, size: 'small' },
      { workspace: large, count: this.#settings.large, size: 'large' },
    ] as const
    for (const { workspace, count, size } of round % 2 === 0 ? cases : cases.toReversed()) {
      const index = (round * 7_919) % count
      await this.#durations.time(`ls-${size}`, () => use(workspace.tools, 'ls', { path: `/${folderOf(index)}` }))
      await this.#durations.time(`read-${size}`, () => workspace.files.content(`/${pathOf(index, 'bin')}`).then((content) => content.bytes()))
      await this.#durations.time(`write-${size}`, () => use(workspace.tools, 'write', { path: `/${folderOf(index)}/new-${round}.bin`, content: `\u0001 ${round}` }))
    }
  }

  async #openings(files: FilesResource): Promise<void> {
    for (const [measure, path] of [['version-of-2', '/two.bin'], ['version-of-many', '/many.bin']] as const) {
      const text = await this.#durations.time(measure, () => files.content(path, { version: 1 }).then((content) => content.text()))
      if (text !== '\0version 1') throw new Error(`version 1 of ${path} is not what was written`)
    }
  }

  /** Waits until the server has done what follows an import: the copy on disk, the indexes. */
  async #quiet(): Promise<void> {
    this.#progress('waiting until the server has nothing left to do')
    const until = performance.now() + QUIET_LIMIT_MS
    for (let before = this.#server.cpuMs(), calm = 0; calm < 2 && performance.now() < until; ) {
      this.#watching.signal.throwIfAborted()
      await new Promise((resolve) => setTimeout(resolve, QUIET_PERIOD_MS))
      const now = this.#server.cpuMs()
      calm = now - before < QUIET_PERIOD_MS / 20 ? calm + 1 : 0
      before = now
    }
  }

  #progress(line: string): void {
    this.#watching.progress(line)
  }
}

const QUIET_PERIOD_MS = 1_000
const QUIET_LIMIT_MS = 15 * 60_000

/** Runs a tool that has to succeed. */
async function use(tools: ToolsResource, name: string, args: object): Promise<unknown> {
  const result = await tools.run(name, args)
  if (!result.ok) throw new Error(`${name}: ${result.error.message}`)
  return result.output
}
