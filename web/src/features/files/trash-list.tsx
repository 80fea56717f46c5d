import type { TrashEntry } from '@buildscale/protocol'
import type { BuildScaleClient } from '@buildscale/sdk'
import { useState } from 'react'
import { describeError } from '../../lib/sdk.ts'
import { useLoaded } from '../../lib/use-loaded.ts'

export interface TrashListProps {
  readonly client: BuildScaleClient
  readonly workspaceId: string
  readonly changes: number
  readonly onFilesChanged: () => void
}

/** What was removed, the latest first; each can be put back. */
export function TrashList({ client, workspaceId, changes, onFilesChanged }: TrashListProps) {
  const [problem, setProblem] = useState<string | null>(null)
  const trash = useLoaded((signal) => client.trash(workspaceId).list({ limit: 200, signal }), [client, workspaceId, changes])
  if (trash.type === 'loading') return <p className="note">Loading …</p>
  if (trash.type === 'failed') return <p role="alert" className="problem">{trash.message}</p>
  const restore = (entry: TrashEntry): void => {
    const done = (): void => {
      setProblem(null)
      onFilesChanged()
    }
    client.trash(workspaceId).restore(entry.id).then(done, (error: unknown) => setProblem(describeError(error)))
  }
  return (
    <>
      {problem !== null && <p role="alert" className="problem">{problem}</p>}
      {trash.value.items.length === 0 && <p className="empty">Nothing was removed.</p>}
      <ul className="trash">
        {trash.value.items.map((entry) => (
          <li key={entry.id}>
            <span>
              {entry.path}
              {entry.file_type === 'folder' && '/'} <span className="status">{new Date(entry.deleted_at).toLocaleString()}</span>
            </span>
            <button type="button" aria-label={`Restore ${entry.path}`} onClick={() => restore(entry)}>Restore</button>
          </li>
        ))}
        {trash.value.next_cursor !== null && <li className="note">… and more</li>}
      </ul>
    </>
  )
}
