import type { FileVersion } from '@buildscale/protocol'
import type { BuildScaleClient } from '@buildscale/sdk'
import { useEffect, useState } from 'react'
import { describeError } from '../../lib/sdk.ts'
import { DefinitionNote } from '../agents/definition-note.tsx'

export interface FileViewProps {
  readonly client: BuildScaleClient
  readonly workspaceId: string
  readonly path: string
  readonly changes: number
  readonly onClose: () => void
}

type LoadedFile =
  | { readonly type: 'loading' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'loaded'; readonly content: string; readonly versions: readonly FileVersion[] }

/** Larger files are not shown, only described. */
const MAX_SHOWN_BYTES = 512 * 1024

/** A file's content and its versions; choosing a version shows that one. */
export function FileView({ client, workspaceId, path, changes, onClose }: FileViewProps) {
  const [version, setVersion] = useState<number | undefined>(undefined)
  const file = useFile(client, { workspaceId, path, version, changes })
  return (
    <section className="file" aria-label={`File ${path}`}>
      <header>
        <h2>{path}</h2>
        <button type="button" onClick={onClose}>Close</button>
      </header>
      <DefinitionNote client={client} workspaceId={workspaceId} path={path} changes={changes} />
      {file.type === 'loading' && <p className="note">Loading …</p>}
      {file.type === 'failed' && <p role="alert" className="problem">{file.message}</p>}
      {file.type === 'loaded' && (
        <>
          <label>
            Version{' '}
            <select value={version ?? ''} onChange={(event) => setVersion(event.target.value === '' ? undefined : Number(event.target.value))}>
              <option value="">newest</option>
              {file.versions.map(({ number, author, created_at, size }) => (
                <option key={number} value={number}>{`${number} · ${author.kind} · ${new Date(created_at).toLocaleString()} · ${size} bytes`}</option>
              ))}
            </select>
          </label>
          <pre className="content">{file.content}</pre>
        </>
      )}
    </section>
  )
}

function useFile(client: BuildScaleClient, { workspaceId, path, version, changes }: { readonly workspaceId: string; readonly path: string; readonly version: number | undefined; readonly changes: number }): LoadedFile {
  const [file, setFile] = useState<LoadedFile>({ type: 'loading' })
  useEffect(() => {
    const leave = new AbortController()
    const { signal } = leave
    const load = async (): Promise<LoadedFile> => {
      const files = client.files(workspaceId)
      const versions = (await files.versions(path, { signal })).items
      const shown = versions.find(({ number }) => number === version) ?? versions[0]
      if (shown !== undefined && shown.size > MAX_SHOWN_BYTES) return { type: 'loaded', versions, content: `${shown.size} bytes of ${shown.mime}: too large to show here.` }
      const bytes = await (await files.content(path, { version, signal })).bytes()
      return { type: 'loaded', versions, content: textOf(bytes) ?? `${bytes.length} bytes of ${shown?.mime ?? 'unknown type'}: not text.` }
    }
    const show = (next: LoadedFile): void => {
      if (!signal.aborted) setFile(next)
    }
    load().then(show, (error: unknown) => show({ type: 'failed', message: describeError(error) }))
    return () => leave.abort()
  }, [client, workspaceId, path, version, changes])
  return file
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined // not UTF-8: shown as what it is, bytes
  }
}
