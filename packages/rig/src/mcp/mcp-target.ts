import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'

/** A server that is a program on this machine. */
export interface McpProgram {
  readonly command: string
  readonly args?: readonly string[]
  /** All that the program gets of secrets and settings: it inherits nothing but `PATH`, `HOME`, `USER`, `LOGNAME`, `SHELL` and `TERM` (on Windows their like). */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Where its error output goes. Default `inherit`: to ours. */
  readonly stderr?: 'inherit' | 'ignore'
}

/** A server behind an address that speaks streamable HTTP. */
export interface McpEndpoint {
  readonly url: string | URL
  /** Sent with every request; an `authorization` for instance. */
  readonly headers?: Readonly<Record<string, string>>
}

export type McpTarget = McpProgram | McpEndpoint

/** A transport with the way to leave nothing of it behind. */
export interface OpenedTransport {
  readonly transport: Transport
  close(client: Client): Promise<void>
}
