/** The packages that the bench compares ours with. They live in `bench/peers`, apart from everything that BuildScale needs. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PEERS = [
  '@ai-sdk/openai', '@earendil-works/pi-agent-core', '@earendil-works/pi-ai', '@langchain/core', '@langchain/openai', '@openai/agents', 'ai', 'langchain', 'openai', 'zod',
] as const

export const PEERS_FOLDER = fileURLToPath(new URL('../peers', import.meta.url))

/** Names of the peers that are not installed in their own folder; a copy elsewhere does not count, it may be of another version. */
export function missingPeers(): readonly string[] {
  return PEERS.filter((name) => !existsSync(join(PEERS_FOLDER, 'node_modules', name, 'package.json')))
}
