import { type DependencyList, useEffect, useState } from 'react'
import { describeError } from './sdk.ts'

/** Something that comes from the server. */
export type Loaded<T> = { readonly type: 'loading' } | { readonly type: 'failed'; readonly message: string } | { readonly type: 'loaded'; readonly value: T }

/** Loads by `load`, and again when `deps` change; an answer that nobody waits for any more is dropped. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, deps: DependencyList): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>({ type: 'loading' })
  useEffect(() => {
    const leave = new AbortController()
    const show = (next: Loaded<T>): void => {
      if (!leave.signal.aborted) setLoaded(next)
    }
    load(leave.signal).then((value) => show({ type: 'loaded', value }), (error: unknown) => show({ type: 'failed', message: describeError(error) }))
    return () => leave.abort()
  }, deps)
  return loaded
}
