import type { SearchHit } from '@buildscale/protocol'
import type { BuildScaleClient } from '@buildscale/sdk'
import { type FormEvent, useState } from 'react'
import { useLoaded } from '../../lib/use-loaded.ts'

export interface SearchPanelProps {
  readonly client: BuildScaleClient
  readonly workspaceId: string
  readonly onOpen: (path: string) => void
}

/** Search by words and by meaning; a hit opens its file. */
export function SearchPanel({ client, workspaceId, onOpen }: SearchPanelProps) {
  const [draft, setDraft] = useState('')
  const [question, setQuestion] = useState('')
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setQuestion(draft.trim())
  }
  return (
    <>
      <form role="search" className="search" onSubmit={submit}>
        <input type="search" aria-label="Search the files" placeholder="Words, or what it is about" value={draft} maxLength={1000} onChange={(event) => setDraft(event.target.value)} />
        <button type="submit">Search</button>
      </form>
      {question !== '' && <Hits key={question} client={client} workspaceId={workspaceId} question={question} onOpen={onOpen} />}
    </>
  )
}

function Hits({ client, workspaceId, question, onOpen }: SearchPanelProps & { readonly question: string }) {
  const found = useLoaded((signal) => client.files(workspaceId).search(question, { limit: 20, signal }), [client, workspaceId, question])
  if (found.type === 'loading') return <p className="note" role="status">Searching …</p>
  if (found.type === 'failed') return <p role="alert" className="problem">{found.message}</p>
  const { items, notice } = found.value
  return (
    <>
      <p className="note" role="status">
        {items.length === 0 ? 'Nothing found.' : `${items.length} ${items.length === 1 ? 'place' : 'places'}`}
      </p>
      <ul className="hits">
        {items.map((hit) => (
          <li key={`${hit.path} ${hit.line}`}>
            <button type="button" className="link" onClick={() => onOpen(hit.path)}>
              {hit.path}:{hit.line}
              {hit.heading !== null && <span className="status"> {hit.heading}</span>}
            </button>
            <Excerpt hit={hit} />
          </li>
        ))}
      </ul>
      {notice !== null && <p className="note">{notice}</p>}
    </>
  )
}

/** The lines that were found, what matches in them marked. */
function Excerpt({ hit: { excerpt, highlights } }: { readonly hit: SearchHit }) {
  const starts = [0, ...highlights.map(([, end]) => end)]
  return (
    <pre className="content">
      {starts.map((start, index) => {
        const [from = excerpt.length, to = excerpt.length] = highlights[index] ?? []
        return (
          <span key={start}>
            {excerpt.slice(start, from)}
            {from < to && <mark>{excerpt.slice(from, to)}</mark>}
          </span>
        )
      })}
    </pre>
  )
}
