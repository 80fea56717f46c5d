import type { FileVersion } from '@buildscale/protocol'
import type { BuildScaleClient } from '@buildscale/sdk'
import { useState } from 'react'
import { type Loaded, useLoaded } from '../../lib/use-loaded.ts'
import { DefinitionNote } from '../agents/definition-note.tsx'
import { VersionBar, VersionDiff } from './version-bar.tsx'

export interface FileViewProps {
  readonly client: BuildScaleClient
  readonly workspaceId: string
  readonly path: string
  readonly changes: number
  readonly onFilesChanged: () => void
  readonly onClose: () => void
}

interface ShownFile {
  readonly content: string
  readonly versions: readonly FileVersion[]
}

/** Larger files are not shown, only described. */
const MAX_SHOWN_BYTES = 512 * 1024

/** A file's content and its versions; choosing a version shows that one, or what it changed. */
export function FileView({ client, workspaceId, path, changes, onFilesChanged, onClose }: FileViewProps) {
  const [version, setVersion] = useState<number | undefined>(undefined)
  const [isComparing, setComparing] = useState(false)
  const file = useFile(client, { workspaceId, path, version, changes })
  const place = { client, workspaceId, path }
  const shown = file.type === 'loaded' ? (version ?? file.value.versions[0]?.number ?? 1) : 1
  return (
    <section className="file" aria-label={`File ${path}`}>
      <header>
        <h2>{path}</h2>
        <button type="button" onClick={onClose}>Close</button>
      </header>
      <DefinitionNote {...place} changes={changes} />
      {file.type === 'loading' && <p className="note">Loading …</p>}
      {file.type === 'failed' && <p role="alert" className="problem">{file.message}</p>}
      {file.type === 'loaded' && (
        <>
          <VersionBar {...place} versions={file.value.versions} version={version} onChoose={setVersion} isComparing={isComparing} onCompare={setComparing} onFilesChanged={onFilesChanged} />
          {isComparing && shown > 1 ? <VersionDiff {...place} version={shown} /> : <pre className="content">{file.value.content}</pre>}
        </>
      )}
    </section>
  )
}

function useFile(client: BuildScaleClient, { workspaceId, path, version, changes }: { readonly workspaceId: string; readonly path: string; readonly version: number | undefined; readonly changes: number }): Loaded<ShownFile> {
  const load = async (signal: AbortSignal): Promise<ShownFile> => {
    const files = client.files(workspaceId)
    const versions = (await files.versions(path, { signal })).items
    const shown = versions.find(({ number }) => number === version) ?? versions[0]
    if (shown !== undefined && shown.size > MAX_SHOWN_BYTES) return { versions, content: `${shown.size} bytes of ${shown.mime}: too large to show here.` }
    const bytes = await (await files.content(path, { version, signal })).bytes()
    return { versions, content: textOf(bytes) ?? `${bytes.length} bytes of ${shown?.mime ?? 'unknown type'}: not text.` }
  }
  return useLoaded(load, [client, workspaceId, path, version, changes])
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined // not UTF-8: shown as what it is, bytes
  }
}
