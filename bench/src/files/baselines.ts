/** What others need for the same: the file system itself, Git, ripgrep. */
import { rgPath } from '@vscode/ripgrep'
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { mkdir, open, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { RARE, type SampleFile } from './sample-files.ts'

const run = promisify(execFile)
const GIT_ENV = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' }

/** Write, fsync, rename: what makes the bytes of one file safe. The folder is not flushed, which would make it dearer. */
export async function writeDurably(folder: string, { path, bytes }: SampleFile): Promise<void> {
  const target = join(folder, path)
  await mkdir(dirname(target), { recursive: true })
  const temporary = `${target}.tmp`
  await using file = await open(temporary, 'w')
  await file.writeFile(bytes)
  await file.sync()
  await rename(temporary, target)
}

export class GitRepository {
  readonly #folder: string

  /** A repository in which all the files are committed. */
  static async create(folder: string, files: Iterable<SampleFile>): Promise<GitRepository> {
    const repository = new GitRepository(folder)
    mkdirSync(folder, { recursive: true })
    await repository.#git('init', '-q')
    // Housekeeping in the background would be measured by chance.
    await repository.#git('config', 'gc.auto', '0')
    for (const file of files) await repository.#write(file)
    await repository.#git('add', '-A')
    await repository.#git('commit', '-q', '-m', 'all')
    return repository
  }

  private constructor(folder: string) {
    this.#folder = folder
  }

  async commit(file: SampleFile): Promise<void> {
    await this.#write(file)
    await this.#git('add', '--', file.path)
    await this.#git('commit', '-q', '-m', 'one')
  }

  async #write({ path, bytes }: SampleFile): Promise<void> {
    const target = join(this.#folder, path)
    mkdirSync(dirname(target), { recursive: true })
    await writeFile(target, bytes)
  }

  async #git(...args: readonly string[]): Promise<void> {
    await run('git', args, { cwd: this.#folder, env: GIT_ENV })
  }
}

/** Searches as the tool does, and answers how many lines it found. */
export async function ripgrep(folder: string): Promise<number> {
  const args = ['--no-config', '--no-ignore-parent', '--no-ignore-global', '--no-require-git', '--no-follow', '--hidden', '--ignore-case', '--json', '-j1', '-e', RARE, '--', '.']
  const { stdout } = await run(rgPath, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 })
  return stdout.split('\n').filter((line) => line.startsWith('{"type":"match"')).length
}
