import { createClient, SdkError } from '@buildscale/sdk'

/** The server that this page came from; the cookie of the sign-in says who we are. */
export const sdk = createClient({ url: location.origin })

/** What a failed call means to the person who looks at the page. */
export function describeError(error: unknown): string {
  if (error instanceof SdkError && error.code === 'unavailable') return 'The server does not answer. Is it running?'
  return error instanceof Error ? error.message : String(error)
}
