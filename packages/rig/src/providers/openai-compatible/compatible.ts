/** The namespace `compatible` of the package: servers that speak Chat Completions, each in its own way. */
export { type ChatDialect, OPENAI_DIALECT, PLAIN_DIALECT } from './chat-dialect.ts'
export { ChatCompletionModel, type ChatModelOptions } from './chat-completion-model.ts'
export { type ChatConnectionOptions, CompatibleClient, type CompatibleClientOptions } from './client.ts'
export { CHAT_SERVERS, type ChatServer, type ChatServerName } from './dialects.ts'
export {
  azure, type AzureOptions, compatibleFromEnv, deepSeek, groq, type HostedServerOptions, llamaCpp, lmStudio, mistral, ollama, openRouter, perplexity,
  type ServerOptions, together, vllm, xAi,
} from './servers.ts'
