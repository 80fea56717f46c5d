import { mkdirSync, realpathSync } from 'node:fs'
import { relative, sep } from 'node:path'
import type { DbLog } from '../db/db-log.ts'

/** Something changed at a path of a workspace's folder. Events may be late, joined or missing: only a hint. */
export type DiskEventListener = (workspaceId: string, path: string) => void

export interface DiskWatcherOptions {
  /** The folder with the folders of all workspaces. */
  readonly folder: string
  readonly log: DbLog
  readonly onEvent: DiskEventListener
  /** Events were lost, or come no more: every workspace may have changed. */
  readonly onLost: () => void
  /** Default: the platform's own. */
  readonly subscribe?: SubscribeToFolder
}

/** Calls `onPaths` with absolute paths, or with an error when events were lost; answers how to end it. Rejects where folders cannot be watched. */
export type SubscribeToFolder = (folder: string, onPaths: (error: Error | null, paths: readonly string[]) => void) => Promise<() => Promise<void>>

/** One subscription for all workspaces. Where there is none (no such library for this platform, no more watches), the copies are polled. */
export class DiskWatcher {
  readonly #options: DiskWatcherOptions
  #unsubscribe: (() => Promise<void>) | undefined

  constructor(options: DiskWatcherOptions) {
    this.#options = options
  }

  /** True while events come. */
  get isWatching(): boolean {
    return this.#unsubscribe !== undefined
  }

  /** Never rejects: without events the periodic looks find everything, only later. */
  async start(): Promise<void> {
    const { folder, log, subscribe = subscribeWithParcel } = this.#options
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const real = realpathSync(folder)
      this.#unsubscribe = await subscribe(real, (error, paths) => this.#received(real, { error, paths }))
    } catch (error) {
      log.warn({ err: error, folder }, 'the copies on disk cannot be watched; they are looked through from time to time instead')
    }
  }

  async close(): Promise<void> {
    const unsubscribe = this.#unsubscribe
    this.#unsubscribe = undefined
    try {
      await unsubscribe?.()
    } catch (error) {
      // Whoever removed a watched folder took its watch along: there is nothing left to end.
      this.#options.log.info({ err: error }, 'the watch on the copies on disk had ended before')
    }
  }

  #received(folder: string, { error, paths }: { readonly error: Error | null; readonly paths: readonly string[] }): void {
    if (this.#unsubscribe === undefined && error === null && paths.length === 0) return
    if (error !== null) {
      this.#options.log.warn({ err: error }, 'changes on disk may have gone unnoticed; everything is looked through')
      this.#options.onLost()
    }
    for (const path of paths) {
      const [workspaceId = '', ...segments] = relative(folder, path).split(sep)
      if (workspaceId !== '' && workspaceId !== '..') this.#options.onEvent(workspaceId, `/${segments.join('/')}`)
    }
  }
}

/** The library is a native one: it is loaded only here, so that a platform without it only misses the events. */
async function subscribeWithParcel(folder: string, onPaths: (error: Error | null, paths: readonly string[]) => void): Promise<() => Promise<void>> {
  const { default: watcher } = await import('@parcel/watcher')
  const subscription = await watcher.subscribe(folder, (error, events) => onPaths(error, error === null ? events.map(({ path }) => path) : []))
  return () => subscription.unsubscribe()
}
