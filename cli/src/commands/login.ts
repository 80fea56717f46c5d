import { EXIT, type ExitCode } from '../cli-error.ts'
import type { CliContext } from '../connect.ts'

/** `buildscale login`: prints a link with a new one-time code; the link alone on stdout, so that a script can take it. */
export async function login({ client, terminal }: CliContext): Promise<ExitCode> {
  const { url, expires_at } = await client.signInCode()
  terminal.out(`${url}\n`)
  terminal.err(`${terminal.style('dim', `Open it in a browser before ${new Date(expires_at).toLocaleTimeString()}; it works once.`)}\n`)
  return EXIT.done
}
