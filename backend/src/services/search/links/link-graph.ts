import type { DbConn } from '../../../db/db.ts'
import { AppError } from '../../../errors.ts'
import { findFile, findFiles } from '../../../repositories/file-repository.ts'
import { type LinkRow, linksOf, linksTowards, pathsByName, type PlacedLinkRow } from '../../../repositories/link-repository.ts'
import { type KnownTargets, linkKeys, type LinkPlace, literalPaths, nameKey, resolveLink } from './link-target.ts'

export interface ResolvedLink extends LinkRow {
  /** Where it leads now; null when nothing is there, or when it leads out of the workspace. */
  readonly path: string | null
}

export interface Backlink extends LinkRow {
  /** The file that it stands in. */
  readonly path: string
}

export interface FileLinks {
  readonly links: readonly ResolvedLink[]
  readonly backlinks: readonly Backlink[]
  /** True when there are more backlinks than one answer takes. */
  readonly truncated: boolean
}

const MOST_BACKLINKS = 1_000

/** Where links lead, and from where. Decided at the moment of the question, so files that came, went or moved since count as they are now. */
export class LinkGraph {
  readonly #conn: DbConn

  constructor(conn: DbConn) {
    this.#conn = conn
  }

  /** Throws `not_found`, and `conflict` on a folder. */
  async linksAt(at: { readonly workspaceId: string; readonly path: string }): Promise<FileLinks> {
    const { workspaceId, path } = at
    const file = path === '/' ? undefined : await findFile(this.#conn, at)
    if (file === undefined && path !== '/') throw new AppError('not_found', `There is no file "${path}".`)
    if (file === undefined || file.fileType === 'folder') throw new AppError('conflict', `"${path}" is a folder: links stand in files.`)
    const written = (await linksOf(this.#conn, { workspaceId, fileId: file.id })).map((link) => ({ ...link, source: path }))
    const towards = await linksTowards(this.#conn, { workspaceId, paths: [path, withoutExtension(path)], name: nameKey(path) }, MOST_BACKLINKS + 1)
    const candidates = towards.filter((link) => link.source !== path)
    const known = await this.#knownTargets(workspaceId, [...written, ...candidates])
    return {
      links: written.map(({ source, ...link }) => ({ ...link, path: resolveLink({ ...link, source }, known) })),
      backlinks: candidates.filter((link) => resolveLink(link, known) === path).slice(0, MOST_BACKLINKS).map(backlink),
      truncated: towards.length > MOST_BACKLINKS,
    }
  }

  /** Two look-ups for all links: what they name literally, and what goes by their names. */
  async #knownTargets(workspaceId: string, links: readonly LinkPlace[]): Promise<KnownTargets> {
    const names = new Set(links.map((link) => linkKeys(link).name).filter((name) => name !== null))
    const literal = [...new Set(links.flatMap((link) => literalPaths(link)))]
    const existing = new Set((literal.length === 0 ? [] : await findFiles(this.#conn, workspaceId, literal)).map((file) => file.path))
    const byName = Map.groupBy(await pathsByName(this.#conn, workspaceId, [...names]), (found) => found.name)
    return { has: (path) => existing.has(path), named: (key) => (byName.get(key) ?? []).map((found) => found.path) }
  }
}

function backlink({ source, kind, target, text, line }: PlacedLinkRow): Backlink {
  return { path: source, kind, target, text, line }
}

function withoutExtension(path: string): string {
  return path.replace(/\.md$/, '')
}
