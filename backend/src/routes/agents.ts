import { type Agent, listAgents, listSkills, type Skill } from '@buildscale/protocol'
import type { FastifyInstance } from 'fastify'
import { handle } from '../http/handle.ts'
import type { AgentCatalog, Definitions } from '../services/agents/agent-catalog.ts'
import { builtInFile } from '../services/agents/built-in-agents.ts'
import type { FileService } from '../services/files/file-service.ts'
import { decodeCursor, encodeCursor } from '../services/files/page-cursor.ts'

export interface AgentDeps {
  readonly agents: Pick<AgentCatalog, 'definitions'>
  readonly db: { readonly kysely: Parameters<FileService['stat']>[0] }
}

const PAGE = 100

/** What the files under `/system` define, and what comes with the program. */
export function registerAgentRoutes(app: FastifyInstance, { agents, db }: AgentDeps): void {
  handle(app, listAgents, async ({ params, query }) => pageOf((await agents.definitions(db.kysely, params.w)).agents.map(agentView), query))
  handle(app, listSkills, async ({ params, query }) => pageOf((await agents.definitions(db.kysely, params.w)).skills.map(skillView), query))
}

function agentView({ name, source, path, version, definition, errors, warnings }: Definitions['agents'][number]): Agent {
  return {
    name,
    description: definition?.description ?? null,
    source,
    path,
    version,
    model: definition?.model ?? null,
    temperature: definition?.temperature ?? null,
    tools: [...(definition?.tools ?? [])],
    max_steps: definition?.max_steps ?? null,
    skills: definition?.skills ?? null,
    content: source === 'built-in' && definition !== undefined ? builtInFile(definition) : null,
    errors: [...errors],
    warnings: [...warnings],
  }
}

function skillView({ name, source, path, version, definition, errors, warnings }: Definitions['skills'][number]): Skill {
  return {
    name,
    description: definition?.description ?? null,
    source,
    path,
    version,
    license: definition?.license ?? null,
    compatibility: definition?.compatibility ?? null,
    metadata: { ...definition?.metadata },
    allowed_tools: [...(definition?.allowed_tools ?? [])],
    errors: [...errors],
    warnings: [...warnings],
  }
}

/** The cursor is the name of the last one: names are unique, and their order does not change between two pages. */
function pageOf<Item extends { readonly name: string }>(all: readonly Item[], { limit = PAGE, cursor }: { readonly limit?: number | undefined; readonly cursor?: string | undefined }) {
  const [after] = cursor === undefined ? [] : decodeCursor(cursor, 1)
  const start = after === undefined ? 0 : all.findIndex((item) => item.name === after) + 1
  const items = all.slice(start, start + limit)
  const last = items.at(-1)
  return { items, next_cursor: start + limit < all.length && last !== undefined ? encodeCursor([last.name]) : null }
}
