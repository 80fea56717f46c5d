import type { FileEntry } from '@buildscale/protocol'
import type { BuildScaleClient } from '@buildscale/sdk'
import { useState } from 'react'
import { useFolder } from './use-folder.ts'

export interface FileTreeProps {
  readonly client: BuildScaleClient
  readonly workspaceId: string
  readonly path: string
  /** Goes up with each change of the workspace's files. */
  readonly changes: number
  readonly openPath: string | undefined
  readonly onOpen: (path: string) => void
}

/** A folder's entries; the folders among them load when they are opened. */
export function FileTree(props: FileTreeProps) {
  const folder = useFolder(props.client, props)
  if (folder.type === 'loading') return <p className="note">Loading …</p>
  if (folder.type === 'failed') return <p role="alert" className="problem">{folder.message}</p>
  if (folder.entries.length === 0) return <p className="empty">{props.path === '/' ? 'No files yet.' : 'Empty.'}</p>
  return (
    <ul className="tree">
      {folder.entries.map((entry) => (
        <li key={entry.path}>{entry.file_type === 'folder' ? <FolderNode {...props} entry={entry} /> : <FileNode {...props} entry={entry} />}</li>
      ))}
      {folder.isCut && <li className="note">… and more</li>}
    </ul>
  )
}

function FolderNode({ entry, ...tree }: FileTreeProps & { readonly entry: FileEntry }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <button type="button" className="link" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? '▾' : '▸'} {entry.name}/
      </button>
      {isOpen && <FileTree {...tree} path={entry.path} />}
    </>
  )
}

function FileNode({ entry, openPath, onOpen }: FileTreeProps & { readonly entry: FileEntry }) {
  return (
    <button type="button" className="link" aria-current={entry.path === openPath} onClick={() => onOpen(entry.path)}>
      {entry.name}
      {entry.version !== null && entry.version > 1 && <span className="status"> v{entry.version}</span>}
    </button>
  )
}
