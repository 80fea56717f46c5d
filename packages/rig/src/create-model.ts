import type { CompletionModel } from './completion/completion-model.ts'
import { ConfigError } from './errors.ts'
import { Client as AnthropicClient } from './providers/anthropic/client.ts'
import { CompletionsClient } from './providers/openai-compatible/client.ts'
import { CHAT_SERVERS, type ChatServerName } from './providers/openai-compatible/dialects.ts'
import { compatibleFromEnv } from './providers/openai-compatible/servers.ts'
import { Client as OpenAiClient } from './providers/openai/client.ts'

/** Whatever makes models from ids. */
export interface ModelSource {
  completionModel(id: string): CompletionModel
}

export interface CreateModelOptions {
  /** Clients by provider name, before those that are made from the environment: for other addresses, and for providers of one's own. */
  readonly clients?: Readonly<Record<string, ModelSource>>
  /** Where keys and addresses are found; the process's environment unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

type Environment = Readonly<Record<string, string | undefined>>

const OWN_CLIENTS: Readonly<Record<string, (env: Environment) => ModelSource>> = {
  openai: (env) => OpenAiClient.fromEnv(env),
  'openai-chat': (env) => CompletionsClient.fromEnv(env),
  anthropic: (env) => AnthropicClient.fromEnv(env),
}

/** One client per provider and environment: clients hold the connections. */
const fromEnvironment = new WeakMap<Environment, Map<string, ModelSource>>()

/**
 * A model by a name from a configuration: `openai:gpt-5.2`, `anthropic:claude-sonnet-4-6`, `ollama:qwen3:8b`. The provider ends at the
 * first colon. `openai-chat` is OpenAI by Chat Completions. Throws `ConfigError` for an unknown provider, and for a key that is missing.
 */
export function createModel(name: string, { clients = {}, env = process.env }: CreateModelOptions = {}): CompletionModel {
  const colon = name.indexOf(':')
  const [provider, model] = [name.slice(0, colon), name.slice(colon + 1)]
  if (colon < 1 || model === '') throw new ConfigError(`"${name}" is no model name: write provider:model, such as openai:gpt-5.2`)
  const given = Object.hasOwn(clients, provider) ? clients[provider] : undefined
  return (given ?? clientFor(provider, { clients, env })).completionModel(model)
}

function clientFor(provider: string, { clients, env }: Required<CreateModelOptions>): ModelSource {
  const known = fromEnvironment.get(env)?.get(provider)
  if (known !== undefined) return known
  const client = makeClient(provider, env)
  if (client === undefined) {
    const names = [...Object.keys(clients), ...Object.keys(OWN_CLIENTS), ...Object.keys(CHAT_SERVERS)]
    throw new ConfigError(`Unknown provider "${provider}"; known: ${[...new Set(names)].join(', ')}`)
  }
  if (!fromEnvironment.has(env)) fromEnvironment.set(env, new Map())
  fromEnvironment.get(env)?.set(provider, client)
  return client
}

function makeClient(provider: string, env: Environment): ModelSource | undefined {
  const own = Object.hasOwn(OWN_CLIENTS, provider) ? OWN_CLIENTS[provider] : undefined
  if (own !== undefined) return own(env)
  return isChatServer(provider) ? compatibleFromEnv(provider, env) : undefined
}

function isChatServer(name: string): name is ChatServerName {
  return Object.hasOwn(CHAT_SERVERS, name)
}
