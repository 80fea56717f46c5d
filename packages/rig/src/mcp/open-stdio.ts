import { setTimeout as sleep } from 'node:timers/promises'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import type { McpProgram, OpenedTransport } from './mcp-target.ts'

/** How long, in milliseconds, a killed program may take to be gone. */
const KILLED_MS = 2000

/** A program that is started here and spoken to over its standard streams. The SDK adds what every program needs to its environment: `PATH`, `HOME` and the like. */
export function openStdio({ command, args = [], env = {}, cwd, stderr = 'inherit' }: McpProgram): OpenedTransport {
  const transport = new StdioClientTransport({ command, args: [...args], env: { ...env }, stderr, ...(cwd === undefined ? {} : { cwd }) })
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  transport.onclose = resolve
  return {
    transport,
    // The SDK closes the program's input, waits, terminates, waits, kills, and returns: it does not wait for the end of what it killed.
    async close(client) {
      const isRunning = transport.pid !== null
      await client.close()
      if (isRunning) await Promise.race([ended, sleep(KILLED_MS, undefined, { ref: false })])
    },
  }
}
