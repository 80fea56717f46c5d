import type { BuildScaleClient } from '@buildscale/sdk'
import { type KeyboardEvent, useState } from 'react'
import { FileTree } from './file-tree.tsx'
import { FileView } from './file-view.tsx'
import { SearchPanel } from './search-panel.tsx'
import { TrashList } from './trash-list.tsx'

export interface FilesPanelProps {
  readonly client: BuildScaleClient
  readonly workspaceId: string
  /** Goes up with each change of the workspace's files. */
  readonly changes: number
  readonly onFilesChanged: () => void
  readonly openPath: string | undefined
  readonly onOpen: (path: string | undefined) => void
}

const TABS = ['Files', 'Search', 'Trash'] as const
type Tab = (typeof TABS)[number]

/** The files of a workspace: the tree, what is found in it, what was removed from it, and the file that is open. */
export function FilesPanel({ client, workspaceId, changes, onFilesChanged, openPath, onOpen }: FilesPanelProps) {
  const [tab, setTab] = useState<Tab>('Files')
  const shared = { client, workspaceId, changes }
  return (
    <aside className="files" aria-label="Files">
      <Tabs tab={tab} onChoose={setTab} />
      <div role="tabpanel" id="files-panel" aria-label={tab}>
        {tab === 'Files' && <FileTree {...shared} path="/" openPath={openPath} onOpen={onOpen} />}
        {tab === 'Search' && <SearchPanel {...shared} onOpen={onOpen} />}
        {tab === 'Trash' && <TrashList {...shared} onFilesChanged={onFilesChanged} />}
      </div>
      {openPath !== undefined && <FileView key={openPath} {...shared} path={openPath} onFilesChanged={onFilesChanged} onClose={() => onOpen(undefined)} />}
    </aside>
  )
}

/** One stop of the Tab key; the arrows go from tab to tab, as https://www.w3.org/WAI/ARIA/apg/patterns/tabs/ has it. */
function Tabs({ tab, onChoose }: { readonly tab: Tab; readonly onChoose: (tab: Tab) => void }) {
  const step = (event: KeyboardEvent<HTMLDivElement>): void => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    const next = TABS[(TABS.indexOf(tab) + by + TABS.length) % TABS.length]
    if (by === 0 || next === undefined) return
    onChoose(next)
    event.currentTarget.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus()
  }
  return (
    <div role="tablist" aria-label="What to see of the files" className="tabs" onKeyDown={step}>
      {TABS.map((name) => (
        <button key={name} type="button" role="tab" data-tab={name} aria-selected={name === tab} aria-controls="files-panel" tabIndex={name === tab ? 0 : -1} onClick={() => onChoose(name)}>
          {name}
        </button>
      ))}
    </div>
  )
}
