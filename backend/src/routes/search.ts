import { getFileLinks, searchWorkspace } from '@buildscale/protocol'
import type { FastifyInstance } from 'fastify'
import { handle } from '../http/handle.ts'
import { parsePath } from '../services/files/file-path.ts'
import type { LinkGraph } from '../services/search/links/link-graph.ts'
import type { WorkspaceSearch } from '../services/search/workspace-search.ts'

const HITS = 20

export interface SearchDeps {
  readonly search: Pick<WorkspaceSearch, 'search' | 'progress'>
  readonly links: Pick<LinkGraph, 'linksAt'>
}

/** Searching a workspace, and the graph of its links. */
export function registerSearchRoutes(app: FastifyInstance, { search, links }: SearchDeps): void {
  handle(app, searchWorkspace, async ({ params, query, signal }) => {
    const { q, mode, path, limit = HITS } = query
    const { hits, truncated, notice, index } = await search.search({ workspaceId: params.w, question: q, path: parsePath(path), modes: mode, limit, signal })
    const items = hits.map(({ endLine, highlights, sources, ...hit }) => ({ ...hit, end_line: endLine, highlights: highlights.map(([start, end]): [number, number] => [start, end]), sources: [...sources] }))
    return { items, next_cursor: null, truncated, notice, index: { ...indexState(index), semantic: semanticState(index) } }
  })
  handle(app, getFileLinks, async ({ params, query }) => {
    const found = await links.linksAt({ workspaceId: params.w, path: parsePath(query.path) })
    return { links: [...found.links], backlinks: [...found.backlinks], truncated: found.truncated, index: indexState(await search.progress(params.w)) }
  })
}

function indexState({ seq, changeSeq, behind }: Awaited<ReturnType<WorkspaceSearch['progress']>>) {
  return { seq, change_seq: changeSeq, behind }
}

function semanticState({ semantic }: Awaited<ReturnType<WorkspaceSearch['search']>>['index']) {
  if (semantic === null) return null
  const { chunks, embedded, pending, refused, embedder, isOffline, lastError } = semantic
  return { chunks, embedded, pending, refused, embedder, offline: isOffline, last_error: lastError }
}
