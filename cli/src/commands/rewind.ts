import type { RewindChange, RewindResult } from '@buildscale/protocol'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import { type CliContext, workspaceId } from '../connect.ts'
import { printable } from '../terminal.ts'

export interface RewindOptions {
  readonly workspace: string
  readonly toSeq?: string
  readonly beforeTurn?: string
  readonly path?: readonly string[]
  readonly yes?: boolean
  readonly json?: boolean
}

/** `buildscale rewind`: shows what going back would change, and does exactly that with `--yes`. */
export async function rewind({ client, terminal }: CliContext, options: RewindOptions): Promise<ExitCode> {
  const target = targetOf(options)
  const files = client.files(await workspaceId(client, options.workspace))
  const preview = await files.rewind({ ...target, dry_run: true })
  const isWanted = options.yes === true && preview.changes.length > 0
  const done = isWanted ? await files.rewind({ ...target, if_seq: preview.change_seq }) : undefined
  if (options.json === true) terminal.out(`${JSON.stringify(done ?? preview)}\n`)
  else terminal.out(`${listing(preview)}${done === undefined ? '' : `done: ${counted(done.changes.length)}; undo with: buildscale rewind --to-seq ${preview.change_seq} --yes\n`}`)
  if (done === undefined && preview.changes.length > 0) terminal.err('Nothing was changed. Add --yes to do this.\n')
  return EXIT.done
}

function targetOf({ toSeq, beforeTurn, path }: RewindOptions): { readonly to_seq?: number; readonly before_turn?: string; readonly paths?: string[] } {
  if ((toSeq === undefined) === (beforeTurn === undefined)) throw new CliError('Name either --to-seq or --before-turn', EXIT.usage)
  const paths = path === undefined ? {} : { paths: [...path] }
  if (beforeTurn !== undefined) return { before_turn: beforeTurn, ...paths }
  if (toSeq === undefined || !/^\d{1,15}$/.test(toSeq)) throw new CliError('--to-seq takes a whole number, a seq of the journal', EXIT.usage)
  return { to_seq: Number(toSeq), ...paths }
}

function listing({ to_seq, change_seq, changes, left }: RewindResult): string {
  const head = changes.length === 0 ? `Nothing to change: all is as it was at seq ${to_seq}.` : `Back to seq ${to_seq} of ${change_seq}: ${counted(changes.length)}`
  const lines = changes.map((change) => `  ${WORDS[change.kind].padEnd(8)} ${printable(change.path)}${change.file_type === 'folder' ? '/' : ''}${detail(change)}`)
  const rest = left.map(({ path, reason }) => `  ${'stays'.padEnd(8)} ${printable(path)} (${REASONS[reason]})`)
  return `${[head, ...lines, ...rest].join('\n')}\n`
}

const WORDS = { created: 'create', updated: 'update', moved: 'move', deleted: 'trash', restored: 'restore' } as const
const REASONS = { purged: 'it was purged and cannot come back', occupied: 'something else stands there' } as const

function detail({ kind, from_path: from, version, size }: RewindChange): string {
  const parts = [...(from === null ? [] : [`from ${printable(from)}`]), ...(version === null ? [] : [`${kind === 'restored' ? '' : 'to '}version ${version}, ${(size ?? 0).toLocaleString('en')} bytes`])]
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

function counted(count: number): string {
  return count === 1 ? '1 change' : `${count.toLocaleString('en')} changes`
}
