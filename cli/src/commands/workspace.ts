import { paginate } from '@buildscale/sdk'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import { type CliContext, workspaceId } from '../connect.ts'
import { printable } from '../terminal.ts'

/** `buildscale workspace list`: the caller's workspaces, with what they store. */
export async function workspaceList({ client, terminal }: CliContext, { json = false }: { readonly json?: boolean }): Promise<ExitCode> {
  const all = await Array.fromAsync(paginate((cursor) => client.workspaces.list({ limit: 1000, cursor })))
  if (json) terminal.out(`${JSON.stringify(all)}\n`)
  else terminal.out(all.map(({ id, name, role, stored_bytes: stored, quota_bytes: quota }) => `${id}  ${role.padEnd(6)}  ${String(stored).padStart(12)} bytes${quota === null ? '' : ` of ${quota}`}  ${printable(name)}\n`).join(''))
  return EXIT.done
}

/** `buildscale workspace create`. */
export async function workspaceCreate({ client, terminal }: CliContext, name: string): Promise<ExitCode> {
  const { id } = await client.workspaces.create({ name })
  terminal.out(`${id}\n`)
  return EXIT.done
}

/** `buildscale workspace rename`. */
export async function workspaceRename({ client, terminal }: CliContext, of: string, name: string): Promise<ExitCode> {
  const workspace = await client.workspaces.change(await workspaceId(client, of), { name })
  terminal.out(`${printable(workspace.name)}\n`)
  return EXIT.done
}

/** `buildscale workspace delete`: with everything in it, for good. */
export async function workspaceDelete({ client, terminal }: CliContext, of: string, { yes = false }: { readonly yes?: boolean }): Promise<ExitCode> {
  const id = await workspaceId(client, of)
  if (!yes) throw new CliError(`The workspace ${printable(of)} would be gone for good, with its files, versions and chats. Add --yes if that is meant.`, EXIT.usage)
  await client.workspaces.delete(id)
  terminal.out(`deleted ${printable(of)}\n`)
  return EXIT.done
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }

/** `buildscale workspace quota`: what a workspace may store; the local owner only. */
export async function workspaceQuota({ client, terminal }: CliContext, of: string, size: string): Promise<ExitCode> {
  const workspace = await client.workspaces.change(await workspaceId(client, of), { quota_bytes: quotaBytes(size) })
  terminal.out(`${workspace.quota_bytes === null ? 'no quota' : `${workspace.quota_bytes} bytes`}\n`)
  return EXIT.done
}

function quotaBytes(size: string): number | null {
  if (size === 'none') return null
  const [, digits = '', unit = ''] = /^(\d{1,12})([kmgt]?)$/i.exec(size) ?? []
  if (digits === '') throw new CliError(`Not a size: ${printable(size)}. Write a number of bytes, 500M, 10G, or none.`, EXIT.usage)
  return Number(digits) * (UNITS[unit.toLowerCase()] ?? 1)
}
