/** `SKILL.md` in the open Agent Skills format (https://agentskills.io/specification). Pure. */
import type { ParsedDefinition } from './agent-definition.ts'
import { byLine, type DefinitionFields, type DefinitionText, isMap, readFields, shown } from './definition-fields.ts'

export interface SkillDefinition {
  readonly name: string
  readonly description: string
  readonly path: string
  readonly version: number
  readonly license: string | null
  readonly compatibility: string | null
  readonly metadata: Readonly<Record<string, string>>
  /** Shown to people; skills come from everywhere and name the tools of other products. What an agent may call, its own file says. */
  readonly allowed_tools: readonly string[]
}

/** The fields of the format, with what each means: the reference of the documentation. */
export const SKILL_FIELDS: Readonly<Record<string, string>> = {
  name: 'required: the name of the folder, in lower-case letters, digits and single hyphens, at most 64',
  description: 'required: what the skill does and when to use it, in at most 1,024 characters',
  license: 'the licence, or the file beside it that holds it',
  compatibility: 'what the skill needs around it, in at most 500 characters',
  metadata: 'anything else, as text by name',
  'allowed-tools': 'tools that the skill expects, parted by spaces; shown, not enforced',
}

const MAX_COMPATIBILITY_LENGTH = 500

/** Reads the head of a skill; its body may be of any length and is the agent's to read. Only a wrong name or description keeps a skill from being offered. */
export function parseSkillFile(file: DefinitionText): ParsedDefinition<SkillDefinition> {
  const read = readFields(file.text, `name: ${file.folder}`)
  if (!('fields' in read)) return read
  const { fields } = read
  fields.checkName(file.folder, { isRequired: true })
  const definition: SkillDefinition = {
    name: file.folder,
    description: fields.description(),
    path: file.path,
    version: file.version,
    license: fields.optionalText('license', 'warn') ?? null,
    compatibility: compatibility(fields),
    metadata: metadata(fields),
    allowed_tools: (fields.optionalNames('allowed-tools', 'warn') ?? []).map(({ name }) => name),
  }
  for (const name of fields.names.filter((field) => !Object.hasOwn(SKILL_FIELDS, field))) fields.warn([name], `"${name}" is not a field of the format and is not used. What is your own belongs below "metadata".`)
  const faults = { errors: byLine(fields.errors), warnings: byLine(fields.warnings) }
  return fields.errors.length > 0 ? faults : { definition, ...faults }
}

function compatibility(fields: DefinitionFields): string | null {
  const text = fields.optionalText('compatibility', 'warn') ?? null
  if (text !== null && text.length > MAX_COMPATIBILITY_LENGTH) fields.warn(['compatibility'], `"compatibility" has ${text.length} characters; the format allows ${MAX_COMPATIBILITY_LENGTH}.`)
  return text
}

/** Text by name, as the format says; numbers and the like are taken as they are written. */
function metadata(fields: DefinitionFields): Readonly<Record<string, string>> {
  const value = fields.value('metadata')
  if (value === undefined) return {}
  if (!isMap(value)) {
    fields.warn(['metadata'], `"metadata" must be fields of the form "name: value", and is ${shown(value)}.`)
    return {}
  }
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, typeof entry === 'string' ? entry : JSON.stringify(entry)]))
}
