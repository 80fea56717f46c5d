/** `AGENT.md`: settings in the front matter, the persona below. Pure. */
import { nearNames } from '../files/near-names.ts'
import type { AgentDefinition, ParsedDefinition } from './agent-definition.ts'
import { byLine, type DefinitionFields, type DefinitionText, readFields } from './definition-fields.ts'

/** What an agent file is read against. */
export interface AgentFileRules {
  /** Every tool there is, in the order in which models see them. */
  readonly tools: readonly string[]
  /** Why a model cannot be used here; undefined when it can. */
  readonly modelFault: (model: string) => string | undefined
}

/** The settings that an agent file may have, with what each means: the reference of the documentation. */
export const AGENT_FIELDS: Readonly<Record<string, string>> = {
  name: 'the name of the folder; may be left out',
  description: 'required: what the agent is for, in at most 1,024 characters',
  model: 'the model, as `provider:model`, unless the chat names one; default: that of the server',
  temperature: 'from 0 to 2; default: that of the model',
  tools: 'a list of tool names; default, and `"*"`: every tool',
  max_steps: 'model calls that one turn may make, from 1 to 1,000; default 100',
  skills: 'a list of the skills that the agent is offered; default, and `"*"`: all; `[]`: none',
}

export const DEFAULT_MAX_STEPS = 100
const MAX_STEPS = 1_000
const MAX_TEMPERATURE = 2
/** The persona is sent with every model call. */
export const MAX_PERSONA_LENGTH = 100_000

export function parseAgentFile(file: DefinitionText, rules: AgentFileRules): ParsedDefinition<AgentDefinition> {
  const read = readFields(file.text, 'description: …')
  if (!('fields' in read)) return read
  const { fields, body, bodyLine } = read
  checkNames(fields)
  fields.checkName(file.folder, { isRequired: false })
  const skills = isEverything(fields.value('skills')) ? undefined : fields.optionalNames('skills', 'error')
  const definition: AgentDefinition = {
    name: file.folder,
    description: fields.description(),
    path: file.path,
    version: file.version,
    persona: persona(fields, body, bodyLine),
    tools: tools(fields, rules.tools),
    model: model(fields, rules),
    temperature: fields.optionalNumber('temperature', { least: 0, most: MAX_TEMPERATURE, isWhole: false }) ?? null,
    max_steps: fields.optionalNumber('max_steps', { least: 1, most: MAX_STEPS, isWhole: true }) ?? DEFAULT_MAX_STEPS,
    skills: skills === undefined ? null : [...new Set(skills.map(({ name }) => name))].sort(),
  }
  const faults = { errors: byLine(fields.errors), warnings: byLine(fields.warnings), mentions: (skills ?? []).map(({ name, path }) => ({ name, ...fields.place(path) })) }
  return fields.errors.length > 0 ? faults : { definition, ...faults }
}

/** A setting that we do not know is a mistake: of an agent whose `tool:` was read as nothing, nobody would notice that it may call every tool. */
function checkNames(fields: DefinitionFields): void {
  const known = Object.keys(AGENT_FIELDS)
  for (const name of fields.names.filter((field) => !known.includes(field))) {
    const near = nearNames(name, known, 1)
    fields.error([name], `There is no setting "${name}".${near.length > 0 ? ` Did you mean "${near.join()}"?` : ` Settings: ${known.join(', ')}.`}`)
  }
}

function tools(fields: DefinitionFields, known: readonly string[]): string[] {
  if (isEverything(fields.value('tools'))) return [...known]
  const names = fields.optionalNames('tools', 'error') ?? known.map((name) => ({ name, path: [] }))
  for (const { name, path } of names.filter((named) => !known.includes(named.name))) {
    const near = nearNames(name, known)
    const hint = name === '*' ? 'For every tool, write: tools: "*"' : near.length > 0 ? `Did you mean ${near.map((other) => `"${other}"`).join(', ')}?` : `Tools: ${known.join(', ')}.`
    fields.error(path, `There is no tool "${name}". ${hint}`)
  }
  const wanted = new Set(names.map(({ name }) => name))
  return known.filter((name) => wanted.has(name))
}

function isEverything(value: unknown): boolean {
  return value === '*' || (Array.isArray(value) && value.length === 1 && value[0] === '*')
}

function model(fields: DefinitionFields, { modelFault }: AgentFileRules): string | null {
  const name = fields.optionalText('model', 'error')
  if (name === undefined) return null
  const fault = modelFault(name)
  if (fault !== undefined) fields.error(['model'], fault)
  return name
}

function persona(fields: DefinitionFields, body: string, bodyLine: number): string {
  const text = body.trim().replaceAll('\r\n', '\n')
  if (text === '') fields.errors.push({ line: bodyLine, column: 1, message: 'The instructions to the agent are missing: write below the front matter who it is and how it works.' })
  if (text.length > MAX_PERSONA_LENGTH) fields.errors.push({ line: bodyLine, column: 1, message: `The instructions have ${text.length} characters; ${MAX_PERSONA_LENGTH} are the most, because every model call carries them. Put what is needed only sometimes into a skill.` })
  return text
}
