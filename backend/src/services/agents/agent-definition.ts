/** What an agent and a skill are, wherever they were defined: in the program, or in a file of the workspace. */
import { z } from 'zod'

/** Something wrong in a definition file, at its line and column, both from 1. */
export const definitionFault = z.object({ line: z.number(), column: z.number(), message: z.string() })
export type DefinitionFault = z.output<typeof definitionFault>

export const agentDefinition = z.object({
  name: z.string(),
  description: z.string(),
  /** The file that defines it, and which version of it; null for one that comes with the program. */
  path: z.string().nullable(),
  version: z.number().nullable(),
  /** Instructions to the model, its system text. */
  persona: z.string(),
  /** Names of the tools that it may call. */
  tools: z.array(z.string()),
  /** Null: that of the chat. */
  model: z.string().nullable(),
  temperature: z.number().nullable(),
  /** Model calls that one turn may make; the last one must conclude without tools. */
  max_steps: z.number(),
  /** Names of the skills that it is offered; null: all. */
  skills: z.array(z.string()).nullable(),
})
export type AgentDefinition = z.output<typeof agentDefinition>

/** A skill as an agent sees it before it needs it: what it is for, and where its text is. */
export const offeredSkill = z.object({ name: z.string(), description: z.string(), path: z.string(), version: z.number() })

/** Everything of the definitions that a turn depends on. Stored when the turn starts, so that it ends with what it began with. */
export const agentSnapshot = z.object({
  agent: agentDefinition,
  skills: z.array(offeredSkill),
  /** Skills that are left out of the list because it would become too long. */
  unlisted_skills: z.number(),
})
export type AgentSnapshot = z.output<typeof agentSnapshot>

/** What a file says, or what is wrong with it: `definition` is there when `errors` is empty. */
export interface ParsedDefinition<Definition> {
  readonly definition?: Definition
  readonly errors: readonly DefinitionFault[]
  readonly warnings: readonly DefinitionFault[]
  /** The skills that it names, and where: whether there are such, only the workspace knows. */
  readonly mentions?: readonly Mention[]
}

export interface Mention {
  readonly name: string
  readonly line: number
  readonly column: number
}

/** Names that can be typed in a command and in a message: lower-case letters and digits, parted by single hyphens. */
export const DEFINITION_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
export const MAX_NAME_LENGTH = 64
export const MAX_DESCRIPTION_LENGTH = 1_024
