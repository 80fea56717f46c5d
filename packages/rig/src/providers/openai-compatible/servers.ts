import { ConfigError } from '../../errors.ts'
import type { ChatDialect } from './chat-dialect.ts'
import { CompatibleClient, type ChatConnectionOptions } from './client.ts'
import {
  AZURE, CHAT_SERVERS, DEEPSEEK, GROQ, LLAMA_CPP, LM_STUDIO, MISTRAL, OLLAMA, OPENROUTER, PERPLEXITY, TOGETHER, VLLM, XAI,
  type ChatServer, type ChatServerName,
} from './dialects.ts'

export interface ServerOptions extends ChatConnectionOptions {
  /** Another address than the server's usual one, with the version in it. */
  readonly baseUrl?: string
  /** What is different about this installation, such as `thinkTags` for a vLLM without a reasoning parser. */
  readonly dialect?: Partial<ChatDialect>
}

/** Options for a server that answers to nobody without a key. */
export interface HostedServerOptions extends ServerOptions {
  readonly apiKey: string
}

export interface AzureOptions extends Omit<HostedServerOptions, 'baseUrl'> {
  /** The address of the resource, such as `https://name.openai.azure.com`. */
  readonly endpoint: string
  readonly apiVersion: string
  /** The deployment that answers; unless given each model's id is taken for the name of its deployment. */
  readonly deployment?: string
}

export function openRouter(options: HostedServerOptions): CompatibleClient {
  return serverClient(OPENROUTER, options)
}

export function ollama(options: ServerOptions = {}): CompatibleClient {
  return serverClient(OLLAMA, options)
}

export function vllm(options: ServerOptions = {}): CompatibleClient {
  return serverClient(VLLM, options)
}

export function llamaCpp(options: ServerOptions = {}): CompatibleClient {
  return serverClient(LLAMA_CPP, options)
}

export function lmStudio(options: ServerOptions = {}): CompatibleClient {
  return serverClient(LM_STUDIO, options)
}

export function deepSeek(options: HostedServerOptions): CompatibleClient {
  return serverClient(DEEPSEEK, options)
}

export function groq(options: HostedServerOptions): CompatibleClient {
  return serverClient(GROQ, options)
}

export function mistral(options: HostedServerOptions): CompatibleClient {
  return serverClient(MISTRAL, options)
}

export function xAi(options: HostedServerOptions): CompatibleClient {
  return serverClient(XAI, options)
}

export function together(options: HostedServerOptions): CompatibleClient {
  return serverClient(TOGETHER, options)
}

/** Throws `CompletionError` of kind `request` when it is given tools. */
export function perplexity(options: HostedServerOptions): CompatibleClient {
  return serverClient(PERPLEXITY, options)
}

export function azure({ endpoint, apiVersion, deployment, dialect, ...options }: AzureOptions): CompatibleClient {
  return new CompatibleClient({
    ...options,
    provider: AZURE.provider,
    keyHeader: AZURE.keyHeader,
    modelsPath: AZURE.modelsPath ?? false,
    baseUrl: endpoint,
    dialect: { ...AZURE.dialect, ...dialect },
    query: { 'api-version': apiVersion },
    path: (model) => `/openai/deployments/${encodeURIComponent(deployment ?? model)}/chat/completions`,
  })
}

type Environment = Readonly<Record<string, string | undefined>>

/** The API version that Azure is asked for unless `OPENAI_API_VERSION` names another one: the latest that is generally available. */
const AZURE_API_VERSION = '2024-10-21'

/**
 * A client for a server by its name, from the environment: `GROQ_API_KEY` and, for another address, `GROQ_BASE_URL`; Azure from
 * `AZURE_OPENAI_ENDPOINT`, `AZURE_OPENAI_API_KEY` and `OPENAI_API_VERSION`. Throws `ConfigError` naming the variable that is missing.
 */
export function compatibleFromEnv(name: ChatServerName, env: Environment = process.env, options: ServerOptions = {}): CompatibleClient {
  const server: ChatServer = CHAT_SERVERS[name]
  const apiKey = options.apiKey ?? (env[server.apiKeyVariable] || undefined)
  const baseUrl = options.baseUrl ?? (env[server.baseUrlVariable] || undefined)
  if (apiKey === undefined && server.needsKey) throw new ConfigError(`Set ${server.apiKeyVariable} to the key for ${server.provider}`)
  if (name === 'azure') {
    if (baseUrl === undefined) throw new ConfigError(`Set ${server.baseUrlVariable} to the address of your resource`)
    return azure({ ...options, apiKey: apiKey ?? '', endpoint: baseUrl, apiVersion: env['OPENAI_API_VERSION'] || AZURE_API_VERSION })
  }
  return serverClient(server, { ...options, ...(apiKey === undefined ? {} : { apiKey }), ...(baseUrl === undefined ? {} : { baseUrl }) })
}

function serverClient(server: ChatServer, { dialect, baseUrl = server.baseUrl, ...options }: ServerOptions): CompatibleClient {
  const { provider, keyHeader, verifyPath } = server
  if (baseUrl === undefined) throw new ConfigError(`There is no usual address for ${provider}: give a baseUrl`)
  return new CompatibleClient({
    ...options,
    provider,
    keyHeader,
    baseUrl,
    modelsPath: server.modelsPath ?? false,
    ...(verifyPath === undefined ? {} : { verifyPath }),
    dialect: { ...server.dialect, ...dialect },
  })
}
