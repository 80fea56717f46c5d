import type { Db, DbConn } from '../../../db/db.ts'
import { type NewLinkRow, replaceLinks } from '../../../repositories/link-repository.ts'
import { type ChangedFileRow, indexedAlready, type IndexedTextRow, removeTexts, scopeWord, storeTexts } from '../../../repositories/search-repository.ts'
import { type FileText, type JournalBatch, readTexts } from '../journal-batch.ts'
import type { JournalIndex } from '../journal-follower.ts'
import { nameKey } from '../links/link-target.ts'
import { analyseName, type TextAnalysis } from './text-analysis.ts'
import type { TextAnalyser } from './text-analyser.ts'

export interface TextIndexDeps {
  readonly db: Db
  readonly analyser: Pick<TextAnalyser, 'analyse'>
  readonly log: { warn(fields: object, message: string): void }
}

/** One file as the index keeps it. */
interface IndexedFile {
  readonly text: IndexedTextRow
  readonly links: readonly NewLinkRow[]
}

/** The words of every file, and the links of Markdown files. A file that cannot be looked into is found by its name, and not tried again before it changes. */
export class TextIndex implements JournalIndex {
  readonly name = 'text'
  readonly #deps: TextIndexDeps

  constructor(deps: TextIndexDeps) {
    this.#deps = deps
  }

  async prepare(batch: JournalBatch, signal: AbortSignal): Promise<(tx: DbConn) => Promise<void>> {
    const { workspaceId, gone } = batch
    const conn = this.#deps.db.kysely
    const known = await indexedAlready(conn, workspaceId, batch.files)
    const files = batch.files.filter((file) => !known.has(file.id))
    const texts = await readTexts(conn, workspaceId, files)
    const indexed: IndexedFile[] = []
    for (const file of files) {
      signal.throwIfAborted()
      indexed.push(await this.#analyse(workspaceId, file, texts.get(file.hash.toString('hex')) ?? MISSING))
    }
    return (tx) => this.#store(tx, workspaceId, { indexed, gone })
  }

  async #analyse(workspaceId: string, file: ChangedFileRow, { text, problem, isWhole }: FileText): Promise<IndexedFile> {
    const named = { path: file.path, mime: file.mime, scope: scopeWord(workspaceId) }
    if (text === null) return indexedFile(file, analyseName(named), { coverage: 'name', problem })
    const analysis = await this.#deps.analyser.analyse({ ...named, text })
    if (analysis !== undefined) return indexedFile(file, analysis, { coverage: isWhole && analysis.hasAllWords ? 'whole' : 'beginning', problem: null })
    this.#deps.log.warn({ workspaceId, fileId: file.id, path: file.path, size: file.size }, 'a text took too long to index; it is found by its name only')
    return indexedFile(file, analyseName(named), { coverage: 'name', problem: 'failed' })
  }

  async #store(tx: DbConn, workspaceId: string, { indexed, gone }: { readonly indexed: readonly IndexedFile[]; readonly gone: readonly string[] }): Promise<void> {
    await removeTexts(tx, workspaceId, gone)
    await replaceLinks(tx, workspaceId, { fileIds: [...gone, ...indexed.map(({ text }) => text.fileId)], links: indexed.flatMap(({ links }) => links) })
    await storeTexts(tx, workspaceId, indexed.map(({ text }) => text))
  }
}

/** The bytes went between two looks: the file has changed, and comes again in a later batch. */
const MISSING: FileText = { text: null, problem: null, isWhole: true }

function indexedFile(file: ChangedFileRow, { words, links }: TextAnalysis, state: Pick<IndexedTextRow, 'coverage' | 'problem'>): IndexedFile {
  const { id: fileId, hash, path } = file
  return {
    text: { fileId, hash, path, nameKey: nameKey(path), words, ...state },
    links: links.map(({ kind, target, text, line, keys }, index) => ({ fileId, index, kind, target, text, line, targetPath: keys.path, targetName: keys.name })),
  }
}
