import type { FileVersion } from '@buildscale/protocol'
import { paginate } from '@buildscale/sdk'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import { type CliContext, workspaceId } from '../connect.ts'
import { printable } from '../terminal.ts'

export interface HistoryOptions {
  readonly workspace: string
  readonly json?: boolean
}

export interface DiffOptions extends HistoryOptions {
  readonly from?: string
  readonly to?: string
}

/** `buildscale history`: the versions of a file, newest first. */
export async function history({ client, terminal }: CliContext, path: string, { workspace, json }: HistoryOptions): Promise<ExitCode> {
  const files = client.files(await workspaceId(client, workspace))
  const versions = await Array.fromAsync(paginate((cursor) => files.versions(path, { limit: 1000, cursor })))
  terminal.out(json === true ? `${JSON.stringify(versions)}\n` : table(versions))
  return EXIT.done
}

function table(versions: readonly FileVersion[]): string {
  const rows = versions.map(({ number, created_at, size, author, turn_id }) => [String(number), created_at, size.toLocaleString('en'), author.kind, turn_id ?? ''])
  const all = [['version', 'when', 'size', 'by', 'turn'], ...rows]
  const width = (column: number): number => Math.max(...all.map((row) => (row[column] ?? '').length))
  const [numbers, times, sizes, authors] = [width(0), width(1), width(2), width(3)]
  return all.map(([number = '', time = '', size = '', author = '', turn = '']) => `${number.padStart(numbers)}  ${time.padEnd(times)}  ${size.padStart(sizes)}  ${author.padEnd(authors)}  ${turn}`.trimEnd()).join('\n') + '\n'
}

/** `buildscale diff`: what changed between two versions of a file. */
export async function diff({ client, terminal }: CliContext, path: string, { workspace, from, to, json }: DiffOptions): Promise<ExitCode> {
  const files = client.files(await workspaceId(client, workspace))
  const found = await files.diff(path, { from: versionNumber('--from', from), to: versionNumber('--to', to) })
  if (json === true) terminal.out(`${JSON.stringify(found)}\n`)
  else if (found.binary) terminal.err(`Versions ${found.from} and ${found.to} of ${printable(found.path)} are not both text.\n`)
  else if (found.diff === '') terminal.err(`Versions ${found.from} and ${found.to} of ${printable(found.path)} are the same.\n`)
  else terminal.out(found.diff)
  return EXIT.done
}

function versionNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0) throw new CliError(`${option} takes the number of a version, such as 3; buildscale history lists them`, EXIT.usage)
  return Number(text)
}
