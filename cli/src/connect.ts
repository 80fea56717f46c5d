import { type BuildScaleClient, createClient, paginate, SdkError } from '@buildscale/sdk'
import { CliError, EXIT } from './cli-error.ts'
import { readEnvironment } from './environment.ts'
import type { Terminal } from './terminal.ts'

/** What every command that talks to the server gets. */
export interface CliContext {
  readonly client: BuildScaleClient
  readonly terminal: Terminal
}

/** Throws a `CliError` when the environment is wrong. No request is made yet. */
export function connect(terminal: Terminal): CliContext {
  const { url, token } = readEnvironment(process.env)
  return { client: createClient({ url, ...(token !== undefined && { token }) }), terminal }
}

/** The id of the workspace that `nameOrId` names. Throws a `CliError` when there is none, or several of that name. */
export async function workspaceId(client: BuildScaleClient, nameOrId: string): Promise<string> {
  const all = await Array.fromAsync(paginate((cursor) => client.workspaces.list({ limit: 1000, cursor })))
  const byId = all.find(({ id }) => id === nameOrId)
  if (byId !== undefined) return byId.id
  const [first, ...others] = all.filter(({ name }) => name === nameOrId)
  if (first === undefined) throw new CliError(`No workspace ${nameOrId}. There ${all.length === 1 ? 'is' : 'are'}: ${all.map(({ name }) => name).join(', ') || 'none'}`)
  if (others.length > 0) throw new CliError(`Several workspaces are called ${nameOrId}. Use an id: ${[first, ...others].map(({ id }) => id).join(', ')}`)
  return first.id
}

/** What a failed command tells the person, and how it exits. */
export function explain(error: unknown): { readonly message: string; readonly exitCode: number } {
  if (error instanceof CliError) return { message: error.message, exitCode: error.exitCode }
  if (!(error instanceof SdkError)) return { message: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: EXIT.error }
  if (error.code === 'unavailable' && error.status === 0) return { message: `no server at ${serverAddress()}; run npm start`, exitCode: EXIT.error }
  if (error.code === 'unauthenticated') return { message: `${error.message}\nSet BUILDSCALE_TOKEN, or run this as the user who started the server.`, exitCode: EXIT.error }
  return { message: `${error.message}${error.requestId === '' ? '' : ` (${error.code}, request ${error.requestId})`}`, exitCode: EXIT.error }
}

function serverAddress(): string {
  return readEnvironment(process.env).url
}
