import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { join } from 'node:path'

const MAIN = join(import.meta.dirname, '..', 'main.ts')

/** The command line as a real process, for tests. */
export class CliProcess {
  stdout = ''
  stderr = ''
  readonly exited: Promise<number | null>
  readonly #child: ChildProcessWithoutNullStreams

  /** @param env Besides PATH, all that the process sees. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env['PATH'] ?? '', ...env } })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.exited = new Promise((done, failed) => this.#child.on('error', failed).on('close', (code) => done(code)))
  }

  type(text: string): void {
    this.#child.stdin.write(text)
  }

  closeStdin(): void {
    this.#child.stdin.end()
  }

  interrupt(): void {
    this.#child.kill('SIGINT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exited
  }
}

/** Runs one command to its end. */
export async function runCli(args: readonly string[], env: Readonly<Record<string, string>>): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  await using cli = new CliProcess(args, env)
  cli.closeStdin()
  const code = await cli.exited
  return { code, stdout: cli.stdout, stderr: cli.stderr }
}
