import { type Role, ROLES } from '@buildscale/protocol'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import { type CliContext, workspaceId } from '../connect.ts'

export interface UserAddOptions {
  readonly workspace?: string
  readonly role?: string
  readonly json?: boolean
}

/** `buildscale user add`: a new user with a token of their own, and a membership when a workspace is given. */
export async function userAdd({ client, terminal }: CliContext, name: string, options: UserAddOptions): Promise<ExitCode> {
  const membership = await membershipOf({ client }, options)
  const { user } = await client.users.create({ name })
  const { token } = await client.tokens.create({ user_id: user.id, name: 'command line' })
  if (membership !== undefined) await client.workspaces.setMember(membership.workspaceId, { userId: user.id, role: membership.role })
  if (options.json === true) {
    terminal.out(`${JSON.stringify({ user_id: user.id, token })}\n`)
    return EXIT.done
  }
  terminal.out(`${user.name} (${user.id})\ntoken: ${token}\n`)
  terminal.err(`${terminal.style('dim', 'The token is not shown again. It goes into BUILDSCALE_TOKEN.')}\n`)
  return EXIT.done
}

/** Checked before anybody is created, so that a typing error leaves nothing behind. */
async function membershipOf({ client }: Pick<CliContext, 'client'>, { workspace, role }: UserAddOptions): Promise<{ readonly workspaceId: string; readonly role: Role } | undefined> {
  const known = ROLES.find((candidate) => candidate === (role ?? 'editor'))
  if (known === undefined) throw new CliError(`No role ${role}. There are: ${ROLES.join(', ')}`, EXIT.usage)
  if (workspace === undefined && role !== undefined) throw new CliError('--role needs --workspace', EXIT.usage)
  return workspace === undefined ? undefined : { workspaceId: await workspaceId(client, workspace), role: known }
}
