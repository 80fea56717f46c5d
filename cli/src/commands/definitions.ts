import type { Agent, DefinitionFault, Skill } from '@buildscale/protocol'
import { type AgentsResource, type BuildScaleClient, paginate, SdkError } from '@buildscale/sdk'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import { type CliContext, workspaceId } from '../connect.ts'
import { printable, type Terminal } from '../terminal.ts'

export interface DefinitionsOptions {
  readonly workspace: string
  readonly json?: boolean
}

export interface AgentsOptions extends DefinitionsOptions {
  /** The built-in agent to write as a file. */
  readonly eject?: string
}

/** What the two kinds have in common, as far as a listing cares. */
type Definition = Pick<Agent | Skill, 'name' | 'description' | 'path' | 'version' | 'errors' | 'warnings'>

/** `buildscale agents`: exits 1 when one of them is broken. */
export async function agents({ client, terminal }: CliContext, { workspace, json, eject }: AgentsOptions): Promise<ExitCode> {
  const id = await workspaceId(client, workspace)
  const items = await listAgents(client.agents(id))
  if (eject !== undefined) return ejectAgent({ client, terminal }, { id, items, name: eject })
  return print(terminal, items, json === true ? undefined : table(items, (agent) => toolsText(agent)))
}

/** `buildscale skills`: exits 1 when one of them is broken. */
export async function skills({ client, terminal }: CliContext, { workspace, json }: DefinitionsOptions): Promise<ExitCode> {
  const resource = client.agents(await workspaceId(client, workspace))
  const items = await Array.fromAsync(paginate((cursor) => resource.skills({ limit: 1000, cursor })))
  const none = 'No skills. One is a file /system/skills/<name>/SKILL.md in the workspace.\n'
  return print(terminal, items, json === true ? undefined : items.length === 0 ? none : table(items, () => ''))
}

/** One long name must not push all others to the side. */
const MAX_WIDTH = 24

function listAgents(resource: AgentsResource): Promise<Agent[]> {
  return Array.fromAsync(paginate((cursor) => resource.list({ limit: 1000, cursor })))
}

/** The file is only made, never replaced: what somebody wrote there stays. */
async function ejectAgent({ client, terminal }: { readonly client: BuildScaleClient; readonly terminal: Terminal }, { id, items, name }: { readonly id: string; readonly items: readonly Agent[]; readonly name: string }): Promise<ExitCode> {
  const agent = items.find((item) => item.name === name)
  if (agent === undefined) throw new CliError(`No agent ${name}. There are: ${items.map((item) => item.name).join(', ')}`)
  if (agent.content === null) throw new CliError(`The agent ${name} is a file already: ${agent.path ?? ''}`)
  const path = `/system/agents/${name}/AGENT.md`
  await client.files(id).put(path, agent.content, { ifMissing: true }).catch((error: unknown) => {
    throw error instanceof SdkError && error.code === 'version_mismatch' ? new CliError(`There is a file ${path} already`) : error
  })
  terminal.out(`${path}\n`)
  return EXIT.done
}

function print(terminal: Terminal, items: readonly Definition[], text: string | undefined): ExitCode {
  terminal.out(text ?? `${JSON.stringify(items)}\n`)
  return items.every(({ errors }) => errors.length === 0) ? EXIT.done : EXIT.error
}

function table<Item extends Definition>(items: readonly Item[], detail: (item: Item) => string): string {
  const width = Math.min(MAX_WIDTH, Math.max(...items.map(({ name }) => printable(name).length)))
  return items.map((item) => `${printable(item.name).padEnd(width)}  ${sourceOf(item).padEnd(8)}  ${summaryOf(item, detail)}\n${faultsOf(item)}`).join('')
}

function sourceOf({ version, errors }: Definition): string {
  if (errors.length > 0) return 'BROKEN'
  return version === null ? 'built-in' : `v${version}`
}

function summaryOf<Item extends Definition>(item: Item, detail: (item: Item) => string): string {
  if (item.errors.length > 0) return `version ${item.version} of ${printable(item.path ?? '')}`
  const more = detail(item)
  return `${printable(item.description ?? '')}${more === '' ? '' : ` (${more})`}`
}

function toolsText({ tools }: Agent): string {
  return tools.length === 0 ? 'no tools' : tools.length > 4 ? `${tools.length} tools` : tools.join(', ')
}

/** As compilers say it, so that editors and terminals can jump there. */
function faultsOf({ path, errors, warnings }: Definition): string {
  const line = (kind: string) => ({ line: at, column, message }: DefinitionFault) => `  ${printable(path ?? '')}:${at}:${column}: ${kind}${printable(message)}\n`
  return [...errors.map(line('')), ...warnings.map(line('warning: '))].join('')
}
