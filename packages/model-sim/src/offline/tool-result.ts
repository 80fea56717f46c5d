/** Reads what tools answered. Results are JSON text; what is not JSON is the reason why the call failed. */
import { isObject, objectsOf, parseJson, textOf, type JsonObject } from '../json.ts'

export type ToolResult = { readonly type: 'ok'; readonly value: JsonObject } | { readonly type: 'failed'; readonly reason: string }

export interface ReadFile {
  readonly path: string
  readonly lines: readonly string[]
  /** Number of the first line in `lines`, from 1. */
  readonly firstLine: number
  readonly totalLines: number
}

export interface SearchHit {
  readonly path: string
  readonly line: number
  readonly text: string
}

export interface ListedEntry {
  readonly path: string
  readonly isFolder: boolean
}

export function readToolResult(output: string): ToolResult {
  const value = parseJson(output)
  if (!isObject(value)) return { type: 'failed', reason: output.split('\n')[0]?.trim() || 'no reason was given' }
  const error = value['error']
  if (error === undefined || error === null) return { type: 'ok', value }
  return { type: 'failed', reason: isObject(error) ? textOf(error['message']) : String(error) }
}

/** @param offset zero-based line that was asked for, used when the result does not say where it starts */
export function asReadFile(value: JsonObject, asked: { readonly path: string; readonly offset: number }): ReadFile {
  const lines = textOf(value['content']).replace(/\n$/, '').split('\n')
  const offset = numberOf(value['offset']) ?? asked.offset
  return { path: textOf(value['path']) || asked.path, lines, firstLine: offset + 1, totalLines: numberOf(value['total_lines']) ?? offset + lines.length }
}

export function asSearchHits(value: JsonObject): readonly SearchHit[] {
  return objectsOf(value['matches']).map((match) => ({ path: textOf(match['path']), line: numberOf(match['line_number']) ?? 1, text: textOf(match['line_text']).trim() }))
}

/** Entries of `ls`, or matches of `glob`, which may be plain paths. */
export function asEntries(value: JsonObject): readonly ListedEntry[] {
  const listed = value['entries'] ?? value['matches'] ?? value['paths'] ?? value['files']
  if (!Array.isArray(listed)) return []
  return listed.flatMap((entry: unknown) => {
    if (typeof entry === 'string') return [{ path: entry, isFolder: entry.endsWith('/') }]
    if (!isObject(entry)) return []
    const path = textOf(entry['path']) || textOf(entry['name'])
    return [{ path, isFolder: entry['file_type'] === 'folder' || entry['file_type'] === 'directory' }]
  })
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
