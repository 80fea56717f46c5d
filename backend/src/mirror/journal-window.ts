import type { AppliedChange } from '../repositories/change-repository.ts'
import { continuesRemoval } from './change-applier.ts'

/** Journal rows that are applied and flushed to the device together. */
const WINDOW = { rows: 512, bytes: 64 * 1024 * 1024 }

type ReadJournal = (page: { readonly after: number; readonly upTo: number; readonly limit: number }) => Promise<AppliedChange[]>

/** The rows to apply next: as many as fit, at least one, and never part of a removal. */
export async function nextWindow(read: ReadJournal, { after: start, upTo }: { readonly after: number; readonly upTo: number }): Promise<AppliedChange[]> {
  const window: AppliedChange[] = []
  for (;;) {
    const after = window.at(-1)?.seq ?? start
    const rows = await read({ after, upTo, limit: WINDOW.rows })
    window.push(...rows)
    // A removal is applied in reverse, so it must not be cut: the folder would go before its content.
    if (rows.length < WINDOW.rows || rows.at(-1)?.kind !== 'deleted') return boundedWindow(window)
  }
}

/** The first rows whose content fits the window, at least one; one removal is never cut. */
function boundedWindow(changes: readonly AppliedChange[], bytes = WINDOW.bytes): AppliedChange[] {
  let sum = 0
  const end = changes.findIndex((change, index) => {
    sum += change.kind === 'moved' ? 0 : (change.version?.size ?? 0)
    return index > 0 && sum > bytes && !continuesRemoval(change, changes[index - 1])
  })
  return end === -1 ? [...changes] : changes.slice(0, end)
}
