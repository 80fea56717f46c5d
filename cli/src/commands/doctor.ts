import type { DoctorReport } from '@buildscale/protocol'
import { EXIT, type ExitCode } from '../cli-error.ts'
import type { CliContext } from '../connect.ts'
import { printable } from '../terminal.ts'

export interface DoctorOptions {
  readonly repair?: boolean
  readonly deep?: boolean
  readonly json?: boolean
}

/** `buildscale doctor`: exits 0 only when database and mirror agree. */
export async function doctor({ client, terminal }: CliContext, { repair = false, deep = false, json = false }: DoctorOptions): Promise<ExitCode> {
  const report = await client.doctor({ repair, deep })
  terminal.out(json ? `${JSON.stringify(report)}\n` : table(report, repair))
  return report.ok ? EXIT.done : EXIT.error
}

function table({ ok, workspaces }: DoctorReport, isRepaired: boolean): string {
  const width = Math.max(9, ...workspaces.map(({ name }) => name.length))
  const rows = workspaces.map(({ name, change_seq, applied_seq, differences }) => `${name.padEnd(width)}  ${String(change_seq).padStart(8)}  ${String(applied_seq).padStart(8)}  ${differences.length}`)
  const details = workspaces.flatMap(({ name, differences, notice }) => [
    ...(notice === undefined ? [] : [`  ${name}: ${printable(notice)}`]),
    ...differences.map(({ path, kind, reason }) => `  ${name}: ${WORDS[kind]} ${printable(path)}${reason === undefined ? '' : ` — ${printable(reason)}`}`),
  ])
  return `${'workspace'.padEnd(width)}   changes   on disk  differences\n${[...rows, ...details, verdict(ok, isRepaired)].join('\n')}\n`
}

type DifferenceKind = DoctorReport['workspaces'][number]['differences'][number]['kind']

const WORDS: Readonly<Record<DifferenceKind, string>> = {
  missing: 'missing on disk  ',
  extra: 'only on disk     ',
  content: 'other content    ',
  type: 'other kind       ',
}

function verdict(ok: boolean, isRepaired: boolean): string {
  if (ok) return 'Database and mirror agree.'
  if (isRepaired) return 'Database and mirror still differ: what is listed could not be repaired.'
  return 'Database and mirror differ; buildscale doctor --repair takes in what was changed on disk, and then makes the mirror what the database says.'
}
