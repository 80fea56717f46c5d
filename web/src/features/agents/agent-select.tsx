import type { Agent, Skill } from '@buildscale/protocol'
import { useId } from 'react'
import type { AgentsState } from './use-agents.ts'

export interface AgentSelectProps {
  readonly agents: AgentsState
  /** The agent of the chat. */
  readonly value: string
  readonly onChoose: (name: string) => void
  readonly onOpenFile: (path: string) => void
}

/** Who answers: the agents by name, what the chosen one is for, and which definitions are broken. */
export function AgentSelect({ agents: { agents, skills, problem, reload }, value, onChoose, onOpenFile }: AgentSelectProps) {
  const id = useId()
  const chosen = agents.find(({ name }) => name === value)
  // Until the list is there, the chat's own agent is the only one that we know of.
  const isUnknown = agents.length > 0 && chosen === undefined
  return (
    <div className="agent-select">
      <label htmlFor={id}>Agent</label>
      <select id={id} value={value} aria-describedby={`${id}-what`} onFocus={reload} onChange={(event) => onChoose(event.target.value)}>
        {chosen === undefined && <option value={value}>{isUnknown ? `${value} (does not exist)` : value}</option>}
        {agents.map((agent) => (
          <option key={agent.name} value={agent.name} title={agent.description ?? undefined} disabled={agent.errors.length > 0 && agent.name !== value}>
            {agent.errors.length > 0 ? `${agent.name} (broken)` : agent.name}
          </option>
        ))}
      </select>
      <span id={`${id}-what`} className="note">{chosen?.description ?? ''}</span>
      <SkillNames skills={skills.filter(({ errors }) => errors.length === 0)} />
      {problem !== null && <p role="alert" className="problem">{problem}</p>}
      {isUnknown && <p role="alert" className="problem">There is no agent “{value}” any more. Choose another one.</p>}
      <BrokenDefinitions definitions={[...agents, ...skills].filter(({ errors }) => errors.length > 0)} onOpenFile={onOpenFile} />
    </div>
  )
}

const SHOWN_SKILLS = 8

/** What a message can begin with. */
function SkillNames({ skills }: { readonly skills: readonly Skill[] }) {
  if (skills.length === 0) return null
  const more = skills.length - SHOWN_SKILLS
  return (
    <p className="skill-names note">
      Skills, named at the start of a message:{' '}
      {skills.slice(0, SHOWN_SKILLS).map(({ name, description }) => (
        <code key={name} title={description ?? undefined}>/{name} </code>
      ))}
      {more > 0 && `and ${more} more`}
    </p>
  )
}

function BrokenDefinitions({ definitions, onOpenFile }: { readonly definitions: readonly (Agent | Skill)[]; readonly onOpenFile: (path: string) => void }) {
  if (definitions.length === 0) return null
  return (
    <details className="broken-definitions">
      <summary className="problem">{definitions.length === 1 ? '1 definition is broken' : `${definitions.length} definitions are broken`}</summary>
      <ul>
        {definitions.map(({ path, errors: [first] }) => (
          <li key={path}>
            <button type="button" className="link" onClick={() => path !== null && onOpenFile(path)}>{path}</button>
            {first !== undefined && <span className="problem">line {first.line}: {first.message}</span>}
          </li>
        ))}
      </ul>
    </details>
  )
}
