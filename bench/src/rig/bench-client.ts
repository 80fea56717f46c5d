/** What every compared client can do. The work is the same for all: receive every delta, run every tool call, send the result back. */
export interface BenchClient {
  /** Streams one answer; returns how many text deltas arrived. */
  streamText(model: string): Promise<number>
  /** Runs an agent loop to its end, each call through `lookup`; returns how many calls were made. */
  runSteps(model: string, lookup: Lookup): Promise<number>
}

/** The tool: cheap, so that the loop around it is what is measured. */
export type Lookup = (given: LookupArguments) => string

export interface LookupArguments {
  readonly step: number
  readonly path: string
  readonly reason: string
}

/** What a module of a client exports: `createClient(url)`, the base URL of the server with `/v1`. */
export interface BenchClientModule {
  createClient(url: string): BenchClient | Promise<BenchClient>
}

export const CLIENT_NAMES = ['ours', 'raw', 'openai', 'ai', 'agents', 'langchain', 'pi'] as const
export type ClientName = (typeof CLIENT_NAMES)[number]

/** Those that come from other packages, see install-peers.ts. */
export const PEER_NAMES: readonly ClientName[] = ['openai', 'ai', 'agents', 'langchain', 'pi']

export const PROMPT = 'Look at every file of the workspace and say what you found.'
export const LOOKUP_DESCRIPTION = 'Looks up what a file says.'

export function isBenchClientModule(value: unknown): value is BenchClientModule {
  return typeof value === 'object' && value !== null && 'createClient' in value && typeof value.createClient === 'function'
}
