import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningApp } from './running-app.ts'

/** Waits until the index of words and links has taken in all that was committed. */
export async function indexed(app: Pick<RunningApp, 'client' | 'workspaceId'>, { withinMs = 15_000 }: { readonly withinMs?: number } = {}): Promise<void> {
  const until = performance.now() + withinMs
  for (;;) {
    const { index } = await app.client.files(app.workspaceId).search('anything')
    if (!index.behind) return
    if (performance.now() > until) throw new Error(`the index is at change ${index.seq} of ${index.change_seq} after ${withinMs} ms`)
    await sleep(50)
  }
}
