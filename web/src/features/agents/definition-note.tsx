import type { Agent, DefinitionFault, Skill } from '@buildscale/protocol'
import type { BuildScaleClient } from '@buildscale/sdk'
import { useEffect, useState } from 'react'

export interface DefinitionNoteProps {
  readonly client: BuildScaleClient
  readonly workspaceId: string
  readonly path: string
  readonly changes: number
}

const DEFINITION = /^\/system\/(agents|skills)\/[^/]+\/[^/]+\.md$/i

/** Above a file that defines an agent or a skill: whether it is in use, or what is wrong with it, line by line. */
export function DefinitionNote({ client, workspaceId, path, changes }: DefinitionNoteProps) {
  const [definition, setDefinition] = useState<Agent | Skill | undefined>(undefined)
  const kind = DEFINITION.exec(path)?.[1]?.toLowerCase()
  useEffect(() => {
    const leave = new AbortController()
    const show = ({ items }: { readonly items: readonly (Agent | Skill)[] }): void => setDefinition(items.find((item) => item.path === path))
    const resource = client.agents(workspaceId)
    const asked = kind === 'agents' ? resource.list({ limit: 1000, signal: leave.signal }) : kind === 'skills' ? resource.skills({ limit: 1000, signal: leave.signal }) : undefined
    // Without an answer there is nothing to say about the file, which is shown all the same.
    asked?.then(show, () => undefined)
    return () => leave.abort()
  }, [client, workspaceId, path, kind, changes])
  if (kind === undefined || definition === undefined) return null
  const what = kind === 'agents' ? 'agent' : 'skill'
  return (
    <div className="definition-note" role={definition.errors.length > 0 ? 'alert' : 'status'}>
      <p>{definition.errors.length > 0 ? <strong className="problem">This {what} cannot be used: its newest version is broken.</strong> : `Defines the ${what} “${definition.name}”.`}</p>
      <Faults kind="error" faults={definition.errors} />
      <Faults kind="warning" faults={definition.warnings} />
    </div>
  )
}

function Faults({ kind, faults }: { readonly kind: 'error' | 'warning'; readonly faults: readonly DefinitionFault[] }) {
  if (faults.length === 0) return null
  return (
    <ul className={kind === 'error' ? 'problem' : 'note'}>
      {faults.map(({ line, column, message }) => (
        <li key={`${line} ${column} ${message}`}>
          Line {line}, column {column}: {kind === 'warning' && 'warning: '}{message}
        </li>
      ))}
    </ul>
  )
}
