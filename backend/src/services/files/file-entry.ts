/** Rows of the file tables as the wire shows them. */
import type { FileEntry, FileVersion } from '@buildscale/protocol'
import type { FileRow } from '../../repositories/file-repository.ts'
import type { VersionRow } from '../../repositories/file-version-repository.ts'

export function fileEntry(row: FileRow): FileEntry {
  const { latest } = row
  return {
    id: row.id,
    path: row.path,
    name: row.name,
    file_type: row.fileType,
    size: latest?.size ?? null,
    version: latest?.number ?? null,
    hash: latest?.hash.toString('hex') ?? null,
    mime: latest?.mime ?? null,
    updated_at: row.updatedAt.toISOString(),
  }
}

/** The root is a folder without a row: it has the workspace's id and time. */
export function rootEntry(workspaceId: string, madeAt: Date): FileEntry {
  return { id: workspaceId, path: '/', name: '/', file_type: 'folder', size: null, version: null, hash: null, mime: null, updated_at: madeAt.toISOString() }
}

export function versionEntry(row: VersionRow): FileVersion {
  const { author } = row
  return {
    number: row.number,
    hash: row.hash.toString('hex'),
    size: row.size,
    mime: row.mime,
    author: { kind: author.kind, id: author.id },
    turn_id: author.turnId,
    tool_call_id: author.toolCallId,
    created_at: row.createdAt.toISOString(),
  }
}
