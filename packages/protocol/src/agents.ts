import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { nothing, page, paging } from './shared.ts'
import { workspaceParams } from './workspaces.ts'

/** Something wrong in a definition file; line and column count from 1. */
export const definitionFault = z.object({ line: z.number().int(), column: z.number().int(), message: z.string() })
export type DefinitionFault = z.output<typeof definitionFault>

export const definitionFaults = z.object({ errors: z.array(definitionFault), warnings: z.array(definitionFault) })

/** An agent that can be used, or one whose file is broken: then `errors` says where, and what the file would say is null or empty. */
export const agent = z.object({
  name: z.string(),
  description: z.string().nullable(),
  source: z.enum(['built-in', 'file']),
  path: z.string().nullable(),
  version: z.number().int().nullable(),
  model: z.string().nullable(),
  temperature: z.number().nullable(),
  tools: z.array(z.string()),
  max_steps: z.number().int().nullable(),
  skills: z.array(z.string()).nullable(),
  /** Of a built-in agent, the file that would say the same: something to start from. */
  content: z.string().nullable(),
  errors: z.array(definitionFault),
  warnings: z.array(definitionFault),
})
export type Agent = z.output<typeof agent>

/** A skill in the open Agent Skills format. Broken ones are listed, and offered to nobody. */
export const skill = z.object({
  name: z.string(),
  description: z.string().nullable(),
  source: z.literal('file'),
  path: z.string(),
  version: z.number().int(),
  license: z.string().nullable(),
  compatibility: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  allowed_tools: z.array(z.string()),
  errors: z.array(definitionFault),
  warnings: z.array(definitionFault),
})
export type Skill = z.output<typeof skill>

/** The definition of an agent that a turn ran with; path and version are null for one that comes with the program, or before the turn starts. */
export const usedAgent = z.object({ name: z.string(), path: z.string().nullable(), version: z.number().int().nullable() })
export const usedSkill = z.object({ name: z.string(), path: z.string(), version: z.number().int() })

/** Names are checked against the workspace: agents are files. */
export const agentName = z.string().min(1).max(64)

const list = { params: workspaceParams, query: z.strictObject(paging), body: nothing, bodyKind: 'none', method: 'GET', access: 'workspace', responseKind: 'json', status: 200 } as const

export const listAgents = endpoint({ ...list, name: 'listAgents', summary: 'The agents of a workspace, built-in ones first; broken files with their errors.', path: '/workspaces/:w/agents', response: page(agent) })

export const listSkills = endpoint({ ...list, name: 'listSkills', summary: 'The skills of a workspace; broken files with their errors.', path: '/workspaces/:w/skills', response: page(skill) })
