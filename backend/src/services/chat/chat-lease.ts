/**
 * A node's hold on its turns. The node keeps one connection with an advisory lock of its id: with the lock it may take its own unfinished turns back at
 * once, because no other process can be running them. Leases are renewed on the same connection, so that a busy pool never costs a lease.
 */
import type { DbConnection } from '../../db/db-connection.ts'
import { DedicatedConnection } from '../../db/dedicated-connection.ts'
import type { TurnFence } from '../../repositories/chat-event-repository.ts'

export const LEASE_SECONDS = 15

/** A lease that is still ours, and whether a person asked to stop the turn. */
export interface KeptLease {
  readonly turnId: string
  readonly isStopRequested: boolean
}

export class NodeLease {
  readonly #connection: DedicatedConnection
  readonly #nodeId: string

  private constructor(connection: DedicatedConnection, nodeId: string) {
    this.#connection = connection
    this.#nodeId = nodeId
  }

  /** Undefined when another process holds the node's lock. */
  static async take(connection: DbConnection, nodeId: string): Promise<NodeLease | undefined> {
    const opened = await DedicatedConnection.open(connection)
    if (await opened.tryLock(`buildscale node ${nodeId}`)) return new NodeLease(opened, nodeId)
    await opened.close()
    return undefined
  }

  /** Resolves when the connection, and with it the lock, is lost. */
  get lost(): Promise<Error> {
    return this.#connection.lost
  }

  /** Extends the leases that are still held, and answers those. */
  async renew(leases: readonly TurnFence[]): Promise<readonly KeptLease[]> {
    const rows = await this.#connection.query<{ id: string; stop: boolean }>(
      `UPDATE turns SET lease_expires_at = now() + make_interval(secs => $1)
       WHERE owner = $2 AND status = 'running' AND (id, lease_epoch) IN (SELECT * FROM unnest($3::uuid[], $4::int[]))
       RETURNING id, stop_requested_at IS NOT NULL AS stop`,
      [LEASE_SECONDS, this.#nodeId, leases.map((lease) => lease.turnId), leases.map((lease) => lease.epoch)],
    )
    return rows.map((row) => ({ turnId: row.id, isStopRequested: row.stop }))
  }

  close(): Promise<void> {
    return this.#connection.close()
  }
}
