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
  terminal.out(json ? `${JSON.stringify(report)}\n` : table(report))
  return report.ok ? EXIT.done : EXIT.error
}

function table({ ok, workspaces }: DoctorReport): string {
  const width = Math.max(9, ...workspaces.map(({ name }) => name.length))
  const rows = workspaces.map(({ name, change_seq, applied_seq, differences }) => `${name.padEnd(width)}  ${String(change_seq).padStart(8)}  ${String(applied_seq).padStart(8)}  ${differences.length}`)
  const details = workspaces.flatMap(({ name, differences }) => differences.map(({ path, kind }) => `  ${name}: ${kind} ${printable(path)}`))
  const verdict = ok ? 'Database and mirror agree.' : 'Database and mirror differ; buildscale doctor --repair makes the mirror what the database says.'
  return `${'workspace'.padEnd(width)}   changes   on disk  differences\n${[...rows, ...details, verdict].join('\n')}\n`
}
