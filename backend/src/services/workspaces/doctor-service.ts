import type { DoctorReport } from '@buildscale/protocol'
import type { Db } from '../../db/db.ts'
import type { MirrorService } from '../../mirror/mirror-service.ts'
import { listAllWorkspaces } from '../../repositories/workspace-repository.ts'

/** Compares every workspace's mirror with the database, and repairs it. */
export class DoctorService {
  readonly #deps: { readonly db: Pick<Db, 'kysely'>; readonly mirror: Pick<MirrorService, 'inspect'> }

  constructor(deps: { readonly db: Pick<Db, 'kysely'>; readonly mirror: Pick<MirrorService, 'inspect'> }) {
    this.#deps = deps
  }

  /** `deep` reads and hashes every byte; without it files whose size and times are as we left them count as ours. `ok`: nothing differs (any more). */
  async inspect(options: { readonly repair: boolean; readonly deep: boolean }): Promise<DoctorReport> {
    const workspaces: DoctorReport['workspaces'] = []
    for (const { id, name } of await listAllWorkspaces(this.#deps.db.kysely)) {
      const { changeSeq, appliedSeq, differences } = await this.#deps.mirror.inspect(id, options)
      workspaces.push({ id, name, change_seq: changeSeq, applied_seq: appliedSeq, differences: [...differences] })
    }
    return { ok: workspaces.every((workspace) => workspace.differences.length === 0 && workspace.applied_seq === workspace.change_seq), workspaces }
  }
}
