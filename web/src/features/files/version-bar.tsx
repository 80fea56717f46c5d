import type { FileVersion } from '@buildscale/protocol'
import type { BuildScaleClient } from '@buildscale/sdk'
import { useState } from 'react'
import { describeError } from '../../lib/sdk.ts'
import { useLoaded } from '../../lib/use-loaded.ts'

export interface VersionBarProps {
  readonly client: BuildScaleClient
  readonly workspaceId: string
  readonly path: string
  /** Newest first. */
  readonly versions: readonly FileVersion[]
  /** Undefined: the newest. */
  readonly version: number | undefined
  readonly onChoose: (version: number | undefined) => void
  readonly isComparing: boolean
  readonly onCompare: (isComparing: boolean) => void
  readonly onFilesChanged: () => void
}

/** Which version of a file is shown, what it changed, and the way back to it. */
export function VersionBar({ client, workspaceId, path, versions, version, onChoose, isComparing, onCompare, onFilesChanged }: VersionBarProps) {
  const [problem, setProblem] = useState<string | null>(null)
  const newest = versions[0]?.number
  const isOld = version !== undefined && version !== newest
  const restore = (): void => {
    const done = (): void => {
      setProblem(null)
      onChoose(undefined)
      onFilesChanged()
    }
    if (isOld) client.files(workspaceId).restore(path, version).then(done, (error: unknown) => setProblem(describeError(error)))
  }
  return (
    <div className="version-bar">
      <label>
        Version{' '}
        <select value={version ?? ''} onChange={(event) => onChoose(event.target.value === '' ? undefined : Number(event.target.value))}>
          <option value="">newest</option>
          {versions.map(({ number, author, created_at, size }) => (
            <option key={number} value={number}>{`${number} · ${author.kind} · ${new Date(created_at).toLocaleString()} · ${size} bytes`}</option>
          ))}
        </select>
      </label>
      <label>
        <input type="checkbox" checked={isComparing} disabled={(version ?? newest ?? 1) < 2} onChange={(event) => onCompare(event.target.checked)} /> What it changed
      </label>
      {isOld && <button type="button" onClick={restore}>Restore version {version}</button>}
      {problem !== null && <p role="alert" className="problem">{problem}</p>}
    </div>
  )
}

export interface VersionDiffProps {
  readonly client: BuildScaleClient
  readonly workspaceId: string
  readonly path: string
  /** From 2: compared with the one before. */
  readonly version: number
}

/** What a version changed, line by line. */
export function VersionDiff({ client, workspaceId, path, version }: VersionDiffProps) {
  const diff = useLoaded((signal) => client.files(workspaceId).diff(path, { from: version - 1, to: version, signal }), [client, workspaceId, path, version])
  if (diff.type === 'loading') return <p className="note">Loading …</p>
  if (diff.type === 'failed') return <p role="alert" className="problem">{diff.message}</p>
  if (diff.value.binary) return <p className="note">The two versions are not text.</p>
  return (
    <pre className="content diff">
      {changedLines(diff.value.diff).map(({ key, kind, text }) => (
        <span key={key} className={kind}>{text}</span>
      ))}
    </pre>
  )
}

/** The lines of a unified diff without the names of the two files. */
function changedLines(diff: string): readonly { readonly key: number; readonly kind: string; readonly text: string }[] {
  const lines = diff.split(/(?<=\n)/)
  const start = lines.findIndex((line) => line.startsWith('@@'))
  return lines.slice(Math.max(start, 0)).map((text, key) => ({ key, kind: LINE_KINDS[text.charAt(0)] ?? 'same', text }))
}

const LINE_KINDS: Readonly<Record<string, string>> = { '+': 'added', '-': 'removed', '@': 'note', '\\': 'note' }
