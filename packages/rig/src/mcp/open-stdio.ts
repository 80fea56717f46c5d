import { setTimeout as sleep } from 'node:timers/promises'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import type { McpProgram, OpenedTransport } from './mcp-target.ts'

/** How long, in milliseconds, the end of a program is waited for: the SDK kills it after four seconds. */
const END_MS = 6000

/** A program that is started here and spoken to over its standard streams. The SDK adds what every program needs to its environment: `PATH`, `HOME` and the like. */
export function openStdio({ command, args = [], env = {}, cwd, stderr = 'inherit' }: McpProgram): OpenedTransport {
  const transport = new EndedStdioTransport({ command, args: [...args], env: { ...env }, stderr, ...(cwd === undefined ? {} : { cwd }) })
  return {
    transport,
    async close(client) {
      await client.close()
      await transport.untilEnded()
    },
  }
}

/**
 * The SDK closes the program's input, waits, terminates it, waits, and kills it. Neither does it wait for the end of what it killed, nor does
 * closing for a second time wait for the first, and after a greeting that failed it has begun to close by itself.
 */
class EndedStdioTransport extends StdioClientTransport {
  #ended: Promise<void> = Promise.resolve()

  override async start(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { onclose } = this
    this.onclose = () => {
      resolve()
      onclose?.()
    }
    await super.start()
    this.#ended = promise
  }

  /** Resolves when a program that was started is gone; immediately without one. */
  async untilEnded(): Promise<void> {
    const waiting = new AbortController()
    // Keeps the process alive meanwhile: the SDK's own timers do not.
    const limit = sleep(END_MS, undefined, { signal: waiting.signal }).catch(() => undefined) // Only this function aborts it.
    await Promise.race([this.#ended, limit])
    waiting.abort()
  }
}
