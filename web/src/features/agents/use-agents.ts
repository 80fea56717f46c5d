import type { Agent, Skill } from '@buildscale/protocol'
import type { BuildScaleClient } from '@buildscale/sdk'
import { useCallback, useEffect, useState } from 'react'
import { describeError } from '../../lib/sdk.ts'

export interface AgentsState {
  readonly agents: readonly Agent[]
  readonly skills: readonly Skill[]
  /** Why they could not be had. */
  readonly problem: string | null
  readonly reload: () => void
}

/** More than a workspace can have. */
const LIMIT = 1000

/** The agents and skills of a workspace, asked again whenever its files change. */
export function useAgents(client: BuildScaleClient, { workspaceId, changes }: { readonly workspaceId: string; readonly changes: number }): AgentsState {
  const [found, setFound] = useState<Omit<AgentsState, 'reload'>>({ agents: [], skills: [], problem: null })
  const reload = useCallback(() => {
    const resource = client.agents(workspaceId)
    Promise.all([resource.list({ limit: LIMIT }), resource.skills({ limit: LIMIT })]).then(
      ([agents, skills]) => setFound({ agents: agents.items, skills: skills.items, problem: null }),
      (error: unknown) => setFound((last) => ({ ...last, problem: describeError(error) })),
    )
  }, [client, workspaceId])
  useEffect(reload, [reload, changes])
  return { ...found, reload }
}
