import type { BuildScaleClient } from '@buildscale/sdk'
import { useState } from 'react'
import { describeError } from '../../lib/sdk.ts'

export interface SignInPageProps {
  readonly client: BuildScaleClient
  /** Why the person is here, when something went wrong. */
  readonly problem: string | null
  readonly onSignedIn: () => void
}

/** Asks for a one-time code, for those who come without a sign-in link. */
export function SignInPage({ client, problem, onSignedIn }: SignInPageProps) {
  const [code, setCode] = useState('')
  const [failure, setFailure] = useState(problem)
  const submit = (): void => {
    client.signIn(codeOf(code)).then(onSignedIn, (error: unknown) => setFailure(describeError(error)))
  }
  return (
    <main className="sign-in">
      <h1>BuildScale</h1>
      <p>
        Open the sign-in link that the server printed when it started, or get a new one with <code>npx buildscale login</code>. You can also paste it here.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <label htmlFor="code">Sign-in code or link</label>
        <input id="code" autoFocus autoComplete="off" value={code} onChange={(event) => setCode(event.target.value)} />
        <button type="submit" disabled={code.trim() === ''}>Sign in</button>
      </form>
      {failure !== null && <p role="alert" className="problem">{failure}</p>}
    </main>
  )
}

/** People paste the whole link. */
function codeOf(text: string): string {
  return text.trim().split('#code=').at(-1) ?? ''
}
