import { createServer, type Server } from 'node:http'
import { DEFAULT_NAMES, type ModelSimMode } from './model-names.ts'
import { ModelSimServer } from './model-sim-server.ts'
import { parseScript } from './script.ts'
import type { ReceivedRequest } from './request-log.ts'

export interface ModelSimOptions {
  /** 0, the default, lets the system choose. */
  readonly port?: number
  /** Address to listen on; 127.0.0.1 by default. */
  readonly host?: string
  /** `scripted` when there is a script, else `rules`, the offline model. In `load` mode other names answer as `load:text:1000`. */
  readonly mode?: ModelSimMode
  /** A script as described in script.ts, already parsed from JSON. */
  readonly script?: unknown
  /** Names that are accepted, besides `load:…`; everything else answers `model_not_found`. */
  readonly models?: readonly string[] | 'any'
  /** When given, requests without this key answer 401. */
  readonly apiKey?: string
  /** Pause between the events of the offline model, in milliseconds; 0 by default. */
  readonly eventDelayMs?: number
}

export interface ModelSim {
  /** Base URL for clients, `/v1` included. */
  readonly url: string
  /** The same without a path, for clients that add `/v1` themselves, as Anthropic's does. */
  readonly origin: string
  readonly port: number
  /** What was received, oldest first: the newest 1,000 at most. */
  requests(): readonly ReceivedRequest[]
  clearRequests(): void
  /** Ends open streams and stops listening. */
  close(): Promise<void>
}

/**
 * Starts a server that speaks OpenAI's `POST /v1/responses`, `/v1/chat/completions` and `/v1/embeddings`, and Anthropic's `POST /v1/messages`.
 * @throws ScriptError when the script cannot be used; the system's error when it cannot listen
 */
export async function startModelSim(options: ModelSimOptions = {}): Promise<ModelSim> {
  const { host = '127.0.0.1', port = 0, script } = options
  const sim = new ModelSimServer({
    mode: options.mode ?? (script === undefined ? 'rules' : 'scripted'),
    script: script === undefined ? undefined : parseScript(script),
    models: options.models ?? DEFAULT_NAMES,
    apiKey: options.apiKey,
    eventDelayMs: options.eventDelayMs ?? 0,
  })
  const server = createServer((request, reply) => void sim.handle(request, reply).catch((error: unknown) => reply.destroy(error instanceof Error ? error : undefined)))
  // Clients keep connections for a long time between turns; closing an idle one would race with their next request.
  server.keepAliveTimeout = 75_000
  server.requestTimeout = 0
  const bound = await listen(server, { host, port })
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`
  return {
    url: `${origin}/v1`,
    origin,
    port: bound,
    requests: () => sim.requests(),
    clearRequests: () => sim.clearRequests(),
    close: () => closeServer(server),
  }
}

function listen(server: Server, address: { readonly host: string; readonly port: number }): Promise<number> {
  return new Promise((done, failed) => {
    server.once('error', failed)
    server.listen(address.port, address.host, () => {
      server.off('error', failed)
      const bound = server.address()
      done(typeof bound === 'object' && bound !== null ? bound.port : address.port)
    })
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done())
    server.closeAllConnections()
  })
}
