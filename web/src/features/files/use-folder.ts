import type { FileEntry } from '@buildscale/protocol'
import { type BuildScaleClient, paginate } from '@buildscale/sdk'
import { useEffect, useState } from 'react'
import { describeError } from '../../lib/sdk.ts'

export type Folder =
  | { readonly type: 'loading' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'loaded'; readonly entries: readonly FileEntry[]; readonly isCut: boolean }

/** More entries than this in one folder are of no use on a page. */
const MAX_ENTRIES = 2_000

/** Several changes in a row are worth one look. */
const REFRESH_DELAY_MS = 150

/** The entries of one folder, looked at again when `changes` goes up. */
export function useFolder(client: BuildScaleClient, { workspaceId, path, changes }: { readonly workspaceId: string; readonly path: string; readonly changes: number }): Folder {
  const [folder, setFolder] = useState<Folder>({ type: 'loading' })
  useEffect(() => {
    const leave = new AbortController()
    const load = async (): Promise<Folder> => {
      const files = client.files(workspaceId)
      const entries: FileEntry[] = []
      for await (const entry of paginate((cursor) => files.list(path, { limit: 1000, cursor, signal: leave.signal }))) {
        if (entries.length === MAX_ENTRIES) return { type: 'loaded', entries, isCut: true }
        entries.push(entry)
      }
      return { type: 'loaded', entries, isCut: false }
    }
    const show = (next: Folder): void => {
      if (!leave.signal.aborted) setFolder(next)
    }
    const timer = setTimeout(() => void load().then(show, (error: unknown) => show({ type: 'failed', message: describeError(error) })), changes === 0 ? 0 : REFRESH_DELAY_MS)
    return () => {
      clearTimeout(timer)
      leave.abort()
    }
  }, [client, workspaceId, path, changes])
  return folder
}
