import type { Change } from '@buildscale/protocol'
import type { Db } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { type ChangeRow, readChangeSeq, readChanges } from '../../repositories/change-repository.ts'
import { followLog, type FollowOptions, type StreamItem } from '../streams/follow-log.ts'
import type { JournalFeed } from './journal-feed.ts'

/** The safety net for a lost wake-up; the feed tells of commits on every node within milliseconds. */
const POLL_MS = 2_000

/** Reads workspaces' journals as people see them: pages, and live. */
export class JournalReader {
  readonly #deps: { readonly db: Pick<Db, 'kysely'>; readonly journal: Pick<JournalFeed, 'onChanged'> }

  constructor(deps: { readonly db: Pick<Db, 'kysely'>; readonly journal: Pick<JournalFeed, 'onChanged'> }) {
    this.#deps = deps
  }

  /** Throws `cursor_expired` when the cursor is beyond the head, `not_found` when the workspace is gone. Answers the head. */
  async checkCursor(workspaceId: string, after: number): Promise<number> {
    const head = await readChangeSeq(this.#deps.db.kysely, workspaceId)
    if (head === undefined) throw new AppError('not_found', 'There is no such workspace.')
    if (after > head) {
      throw new AppError('cursor_expired', `The cursor ${after} is beyond the last change ${head} of this workspace. Read its files again and continue after its change_seq.`, {
        details: { last_seq: head },
      })
    }
    return head
  }

  /** Changes after a seq, in order, and whether more follow. */
  async page(workspaceId: string, page: { readonly after: number; readonly limit: number }): Promise<{ readonly items: Change[]; readonly nextCursor: string | null }> {
    const rows = await readChanges(this.#deps.db.kysely, workspaceId, { ...page, limit: page.limit + 1 })
    const items = rows.slice(0, page.limit).map(changeEntry)
    const last = rows.length > page.limit ? items.at(-1) : undefined
    return { items, nextCursor: last === undefined ? null : String(last.seq) }
  }

  /** See `followLog`. Never idle: it ends with the signal, or with the workspace. */
  follow(workspaceId: string, options: Pick<FollowOptions, 'after' | 'signal'>): AsyncGenerator<StreamItem<Change>, void, void> {
    const { db, journal } = this.#deps
    return followLog(
      {
        readHead: async () => {
          const lastSeq = await readChangeSeq(db.kysely, workspaceId)
          return lastSeq === undefined ? undefined : { lastSeq, busy: true }
        },
        readPage: async (page) => (await readChanges(db.kysely, workspaceId, page)).map(changeEntry),
        subscribe: (listener) =>
          journal.onChanged((change) => {
            if (change.workspaceId === workspaceId) listener.woken()
          }),
      },
      { ...options, untilIdle: false, pollMs: POLL_MS },
    )
  }
}

/** A row of the journal as the wire shows it. */
export function changeEntry(row: ChangeRow): Change {
  const { fromPath, toPath } = row
  return {
    seq: row.seq,
    kind: row.kind,
    file_id: row.fileId,
    file_type: row.fileType,
    path: toPath ?? fromPath ?? '',
    from_path: toPath === null ? null : fromPath,
    version: row.version,
    change_set_id: row.changeSetId,
    author: { kind: row.authorKind, id: row.authorId },
    turn_id: row.turnId,
    tool_call_id: row.toolCallId,
    at: row.at.toISOString(),
  }
}
