import type { DbConn } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { nearNames } from '../files/near-names.ts'
import type { AgentDefinition, AgentSnapshot, DefinitionFault } from './agent-definition.ts'
import { type AgentFileRules, parseAgentFile } from './agent-file.ts'
import { BUILT_IN_AGENTS, type BuiltInAgent, builtInDefinition } from './built-in-agents.ts'
import { type CatalogEntry, DefinitionFiles, type FileDefinition } from './definition-files.ts'
import { parseSkillFile, type SkillDefinition } from './skill-file.ts'

export interface Definitions {
  /** Those of the program in their order, then the workspace's own by name. */
  readonly agents: readonly CatalogEntry<AgentDefinition>[]
  /** By name. */
  readonly skills: readonly FileDefinition<SkillDefinition>[]
}

export const AGENT_FOLDER = '/system/agents'
export const SKILL_FOLDER = '/system/skills'
const AGENT_BYTES = 256 * 1024
/** The front matter of a skill fits, whatever its letters; what follows is for the agent that reads it. */
const SKILL_HEAD_BYTES = 64 * 1024
/** Skills that an agent is told of; each costs a line in every model call. */
const MAX_OFFERED_SKILLS = 100

/** The agents and skills of a workspace: those of the program, and those that files under `/system` define. A file takes the place of a built-in agent of its name. */
export class AgentCatalog {
  readonly #tools: readonly string[]
  readonly #agents: DefinitionFiles<AgentDefinition>
  readonly #skills = new DefinitionFiles<SkillDefinition>({ folder: SKILL_FOLDER, file: 'SKILL.md', headBytes: SKILL_HEAD_BYTES, isWhole: false, parse: parseSkillFile })

  constructor(rules: AgentFileRules) {
    this.#tools = rules.tools
    this.#agents = new DefinitionFiles({ folder: AGENT_FOLDER, file: 'AGENT.md', headBytes: AGENT_BYTES, isWhole: true, parse: (file) => parseAgentFile(file, rules) })
  }

  async definitions(conn: DbConn, workspaceId: string): Promise<Definitions> {
    const skills = await this.#skills.entries(conn, workspaceId)
    const names = skills.map(({ name }) => name)
    const files = (await this.#agents.entries(conn, workspaceId)).map((entry) => ({ ...entry, warnings: [...entry.warnings, ...unknownSkills(entry, names)] }))
    const builtIn = BUILT_IN_AGENTS.map((agent) => files.find(({ name }) => name === agent.name) ?? this.#builtIn(agent))
    return { agents: [...builtIn, ...files.filter(({ name }) => BUILT_IN_AGENTS.every((agent) => agent.name !== name))], skills }
  }

  /** What a turn with this agent would begin with now. Throws `invalid_request` for a name that nobody has, `unprocessable` for one whose file is broken. */
  async resolve(conn: DbConn, workspaceId: string, name: string): Promise<AgentSnapshot> {
    const { agents, skills } = await this.definitions(conn, workspaceId)
    const agent = usable(name, agents)
    const mayRead = agent.tools.includes('read')
    const offered = skills.flatMap(({ definition }) => (definition !== undefined && mayRead && (agent.skills?.includes(definition.name) ?? true) ? [definition] : []))
    return {
      agent,
      skills: offered.slice(0, MAX_OFFERED_SKILLS).map(({ name: skill, description, path, version }) => ({ name: skill, description, path, version })),
      unlisted_skills: Math.max(0, offered.length - MAX_OFFERED_SKILLS),
    }
  }

  /** The skill of this name, broken or not; undefined when there is none. */
  async skill(conn: DbConn, workspaceId: string, name: string): Promise<FileDefinition<SkillDefinition> | undefined> {
    return (await this.#skills.entries(conn, workspaceId)).find((entry) => entry.name === name)
  }

  /** What the file at this path defines, or what is wrong with it; undefined when it is none that defines anything. */
  async at(conn: DbConn, workspaceId: string, path: string): Promise<FileDefinition<AgentDefinition | SkillDefinition> | undefined> {
    const kind = [this.#agents, this.#skills].find((files) => files.covers(path))
    return (await kind?.entries(conn, workspaceId))?.find((entry) => entry.path === path)
  }

  #builtIn(agent: BuiltInAgent): CatalogEntry<AgentDefinition> {
    return { name: agent.name, source: 'built-in', path: null, version: null, definition: builtInDefinition(agent, this.#tools), errors: [], warnings: [] }
  }
}

/** Where a definition is broken, in one sentence. */
export function faultSentence(path: string | null, errors: readonly DefinitionFault[]): string {
  const [first] = errors
  if (path === null || first === undefined) throw new Error('only a file with errors is broken')
  const more = errors.length > 1 ? ` (${errors.length - 1} more in this file)` : ''
  return `${path}, line ${first.line}: ${first.message}${more}`
}

function usable(name: string, agents: Definitions['agents']): AgentDefinition {
  const entry = agents.find((agent) => agent.name === name)
  if (entry === undefined) throw new AppError('invalid_request', noSuchAgent(name, agents.map((agent) => agent.name)))
  const { definition, path, version, errors } = entry
  if (definition !== undefined) return definition
  throw new AppError('unprocessable', `The agent "${name}" cannot be used. ${faultSentence(path, errors)}`, { details: { path, version, errors } })
}

function noSuchAgent(name: string, names: readonly string[]): string {
  return `There is no agent "${name}". ${didYouMean(name, names) ?? `Agents: ${names.slice(0, 20).join(', ')}.`} A new one is a file ${AGENT_FOLDER}/<name>/AGENT.md.`
}

/** An agent may be written before its skills are: a name that nobody has is worth a warning, no more. */
function unknownSkills({ mentions = [] }: CatalogEntry<AgentDefinition>, known: readonly string[]): DefinitionFault[] {
  return mentions.filter(({ name }) => !known.includes(name)).map(({ name, line, column }) => ({ line, column, message: `There is no skill "${name}". ${didYouMean(name, known) ?? 'It is offered as soon as there is one.'}` }))
}

function didYouMean(name: string, names: readonly string[]): string | undefined {
  const near = nearNames(name, names)
  return near.length > 0 ? `Did you mean ${near.map((other) => `"${other}"`).join(' or ')}?` : undefined
}
