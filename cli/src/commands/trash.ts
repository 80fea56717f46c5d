import type { TrashEntry } from '@buildscale/protocol'
import { type BuildScaleClient, paginate } from '@buildscale/sdk'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import { type CliContext, workspaceId } from '../connect.ts'
import { printable } from '../terminal.ts'

export interface TrashOptions {
  readonly workspace: string
  readonly json?: boolean
  readonly to?: string
  readonly yes?: boolean
}

/** `buildscale trash list`: what was removed, the latest first. */
export async function trashList({ client, terminal }: CliContext, options: TrashOptions): Promise<ExitCode> {
  const entries = await allTrash(client, await workspaceId(client, options.workspace))
  if (options.json === true) terminal.out(`${JSON.stringify(entries)}\n`)
  else if (entries.length === 0) terminal.err('The trash is empty.\n')
  else terminal.out(entries.map((entry) => `${entry.deleted_at}  ${entry.id}  ${printable(entry.path)}${entry.file_type === 'folder' ? '/' : ''}\n`).join(''))
  return EXIT.done
}

/** `buildscale trash restore`: puts back what was removed, by its path or its id. */
export async function trashRestore({ client, terminal }: CliContext, what: string, options: TrashOptions): Promise<ExitCode> {
  const workspace = await workspaceId(client, options.workspace)
  const entry = await find(client, workspace, what)
  const file = await client.trash(workspace).restore(entry.id, { to: options.to })
  terminal.out(`restored ${printable(file.path)}\n`)
  return EXIT.done
}

/** `buildscale trash purge`: removes one thing for good. */
export async function trashPurge({ client, terminal }: CliContext, what: string, options: TrashOptions): Promise<ExitCode> {
  const workspace = await workspaceId(client, options.workspace)
  const entry = await find(client, workspace, what)
  if (options.yes !== true) throw new CliError(`${printable(entry.path)} and all its versions would be gone for good. Add --yes if that is meant.`, EXIT.usage)
  await client.trash(workspace).purge(entry.id)
  terminal.out(`purged ${printable(entry.path)}\n`)
  return EXIT.done
}

/** `buildscale trash empty`: removes everything in the trash for good. */
export async function trashEmpty({ client, terminal }: CliContext, options: TrashOptions): Promise<ExitCode> {
  const workspace = await workspaceId(client, options.workspace)
  if (options.yes !== true) throw new CliError('Everything in the trash would be gone for good, with all versions. Add --yes if that is meant.', EXIT.usage)
  await client.trash(workspace).empty()
  terminal.out('the trash is empty\n')
  return EXIT.done
}

function allTrash(client: BuildScaleClient, workspace: string): Promise<TrashEntry[]> {
  return Array.fromAsync(paginate((cursor) => client.trash(workspace).list({ limit: 1000, cursor })))
}

/** The latest removal of that path, or the one with that id. Throws a `CliError` when there is none. */
async function find(client: BuildScaleClient, workspace: string, what: string): Promise<TrashEntry> {
  const path = `/${what.replace(/^\/+|\/+$/g, '')}`
  const found = (await allTrash(client, workspace)).find((entry) => entry.id === what || entry.path === path)
  if (found === undefined) throw new CliError(`${printable(what)} is not in the trash. buildscale trash list shows what is.`)
  return found
}
