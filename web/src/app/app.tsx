import type { User, Workspace } from '@buildscale/protocol'
import { type BuildScaleClient, SdkError } from '@buildscale/sdk'
import { useCallback, useEffect, useState } from 'react'
import { SignInPage } from '../features/auth/sign-in-page.tsx'
import { readPageState } from '../lib/page-state.ts'
import { describeError } from '../lib/sdk.ts'
import { WorkspacePage } from './workspace-page.tsx'

type Session =
  | { readonly type: 'asking' }
  | { readonly type: 'signed out'; readonly problem: string | null }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'signed in'; readonly user: User; readonly workspaces: readonly Workspace[] }

/** Finds out who is there, and shows the sign-in page or the workspace. */
export function App({ client }: { readonly client: BuildScaleClient }) {
  const [session, setSession] = useState<Session>({ type: 'asking' })
  const ask = useCallback(() => void openSession(client).then(setSession), [client])
  useEffect(ask, [ask])
  const signOut = (): void => {
    client.signOut().then(() => setSession({ type: 'signed out', problem: null }), (error: unknown) => setSession({ type: 'failed', message: describeError(error) }))
  }
  switch (session.type) {
    case 'asking':
      return <main className="sign-in note">Loading …</main>
    case 'signed out':
      return <SignInPage client={client} problem={session.problem} onSignedIn={ask} />
    case 'failed':
      return (
        <main className="sign-in">
          <p role="alert" className="problem">{session.message}</p>
          <button type="button" onClick={ask}>Try again</button>
        </main>
      )
    case 'signed in':
      return <WorkspacePage client={client} user={session.user} workspaces={session.workspaces} onSignOut={signOut} />
  }
}

/** A code works once, and React's strict mode runs effects twice: both runs share one exchange. */
const exchanges = new Map<string, Promise<unknown>>()

async function openSession(client: BuildScaleClient): Promise<Session> {
  const { code } = readPageState(location.hash)
  let problem: string | null = null
  if (code !== null) {
    const exchange = exchanges.get(code) ?? client.signIn(code)
    exchanges.set(code, exchange)
    await exchange.catch((error: unknown) => (problem = describeError(error)))
    if (location.hash.includes('code=')) history.replaceState(null, '', '/')
  }
  try {
    const { user, workspaces } = await client.me()
    return { type: 'signed in', user, workspaces }
  } catch (error) {
    if (error instanceof SdkError && error.code === 'unauthenticated') return { type: 'signed out', problem }
    return { type: 'failed', message: describeError(error) }
  }
}
