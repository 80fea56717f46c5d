import type { DoctorReport } from '@buildscale/protocol'
import type { Db } from '../../db/db.ts'
import type { MirrorService } from '../../mirror/mirror-service.ts'
import { listAllWorkspaces } from '../../repositories/workspace-repository.ts'

/** How long a mirror may take to catch up before it is compared: another node may have written a moment ago. */
const CATCH_UP_MS = 10_000

/** Compares every workspace's mirror with the database, and repairs it. */
export class DoctorService {
  readonly #deps: { readonly db: Pick<Db, 'kysely'>; readonly mirror: Pick<MirrorService, 'inspect' | 'waitFor'> }

  constructor(deps: { readonly db: Pick<Db, 'kysely'>; readonly mirror: Pick<MirrorService, 'inspect' | 'waitFor'> }) {
    this.#deps = deps
  }

  /**
   * `deep` reads and hashes every byte; without it files whose size and times are as we left them count as ours. Lists what was found;
   * `ok`: database and mirror agree now, after the repair if one was asked for.
   */
  async inspect(options: { readonly repair: boolean; readonly deep: boolean }): Promise<DoctorReport> {
    const workspaces: DoctorReport['workspaces'] = []
    let ok = true
    for (const { id, name } of await listAllWorkspaces(this.#deps.db.kysely)) {
      const { changeSeq, appliedSeq, differences, notice } = await this.#inspect(id, options)
      workspaces.push({ id, name, change_seq: changeSeq, applied_seq: appliedSeq, differences: [...differences], ...(notice !== null && { notice }) })
      ok &&= options.repair ? await this.#agrees(id, options) : appliedSeq === changeSeq && differences.length === 0
    }
    return { ok, workspaces }
  }

  async #inspect(id: string, options: { readonly repair: boolean; readonly deep: boolean }) {
    await this.#deps.mirror.waitFor(id, { timeoutMs: CATCH_UP_MS })
    return this.#deps.mirror.inspect(id, options)
  }

  async #agrees(id: string, { deep }: { readonly deep: boolean }): Promise<boolean> {
    const { changeSeq, appliedSeq, differences } = await this.#inspect(id, { deep, repair: false })
    return appliedSeq === changeSeq && differences.length === 0
  }
}
