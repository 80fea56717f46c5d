import { OPENAI_DIALECT, PLAIN_DIALECT, type ChatDialect } from './chat-dialect.ts'

/** What has to be known of a server to talk to it. */
export interface ChatServer {
  /** Its name in origins and errors. */
  readonly provider: string
  readonly dialect: ChatDialect
  /** With the version in it; servers of one's own account have none. */
  readonly baseUrl?: string
  /** The environment variables with its key and with another address. */
  readonly apiKeyVariable: string
  readonly baseUrlVariable: string
  /** Servers on one's own machine take a key only when they were set up with one. */
  readonly needsKey: boolean
  /** How the key is sent. */
  readonly keyHeader: 'bearer' | 'api-key'
  /** Where its models are listed, below the base address; absent when it has no such list. */
  readonly modelsPath?: string
  /** Where the key can be tried out when the models are listed for everybody. */
  readonly verifyPath?: string
}

const HOSTED = { needsKey: true, keyHeader: 'bearer', modelsPath: '/models' } as const
const LOCAL = { needsKey: false, keyHeader: 'bearer', modelsPath: '/models' } as const

export const OPENAI: ChatServer = {
  ...HOSTED,
  provider: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  apiKeyVariable: 'OPENAI_API_KEY',
  baseUrlVariable: 'OPENAI_BASE_URL',
  dialect: OPENAI_DIALECT,
}

/** Wants reasoning back as it sent it, and tells usage with cost only when asked: https://openrouter.ai/docs. */
export const OPENROUTER: ChatServer = {
  ...HOSTED,
  provider: 'openrouter',
  verifyPath: '/key',
  baseUrl: 'https://openrouter.ai/api/v1',
  apiKeyVariable: 'OPENROUTER_API_KEY',
  baseUrlVariable: 'OPENROUTER_BASE_URL',
  dialect: { ...PLAIN_DIALECT, replayReasoning: 'reasoning_details', strictTools: true, extraBody: { usage: { include: true } } },
}

/** By its compatible interface; an output format constrains the grammar, so that no tool is called: https://github.com/ollama/ollama. */
export const OLLAMA: ChatServer = {
  ...LOCAL,
  provider: 'ollama',
  baseUrl: 'http://127.0.0.1:11434/v1',
  apiKeyVariable: 'OLLAMA_API_KEY',
  baseUrlVariable: 'OLLAMA_BASE_URL',
  dialect: { ...PLAIN_DIALECT, replayReasoning: 'reasoning', outputWithTools: false },
}

/**
 * Needs `--enable-auto-tool-choice` and a tool parser for tools; without a reasoning parser set `thinkTags`. Older releases want
 * `reasoning_content` where newer ones have `reasoning`: https://docs.vllm.ai.
 */
export const VLLM: ChatServer = {
  ...LOCAL,
  provider: 'vllm',
  baseUrl: 'http://127.0.0.1:8000/v1',
  apiKeyVariable: 'VLLM_API_KEY',
  baseUrlVariable: 'VLLM_BASE_URL',
  dialect: { ...PLAIN_DIALECT, replayReasoning: 'reasoning', outputWithTools: false },
}

/** Knows tool choices by name only, and refuses an output format beside tools: https://github.com/ggml-org/llama.cpp. */
export const LLAMA_CPP: ChatServer = {
  ...LOCAL,
  provider: 'llama-cpp',
  baseUrl: 'http://127.0.0.1:8080/v1',
  apiKeyVariable: 'LLAMA_CPP_API_KEY',
  baseUrlVariable: 'LLAMA_CPP_BASE_URL',
  dialect: { ...PLAIN_DIALECT, replayReasoning: 'reasoning_content', toolChoice: 'string', outputWithTools: false },
}

/** Takes plain strings only, wants the reasoning of tool calls back and a content beside them, and knows JSON output without a schema: https://api-docs.deepseek.com. */
export const DEEPSEEK: ChatServer = {
  ...HOSTED,
  provider: 'deepseek',
  baseUrl: 'https://api.deepseek.com/v1',
  apiKeyVariable: 'DEEPSEEK_API_KEY',
  baseUrlVariable: 'DEEPSEEK_BASE_URL',
  dialect: { ...PLAIN_DIALECT, stringContentOnly: true, emptyContent: 'string', replayReasoning: 'reasoning_content', responseFormat: 'json_object' },
}

/** Refuses message fields that it does not know, reasoning among them: https://console.groq.com/docs. */
export const GROQ: ChatServer = {
  ...HOSTED,
  provider: 'groq',
  baseUrl: 'https://api.groq.com/openai/v1',
  apiKeyVariable: 'GROQ_API_KEY',
  baseUrlVariable: 'GROQ_BASE_URL',
  dialect: { ...PLAIN_DIALECT, outputWithTools: false },
}

/** Has tool call ids of its own form, and no output format beside a forced tool choice: https://docs.mistral.ai/api. */
export const MISTRAL: ChatServer = {
  ...HOSTED,
  provider: 'mistral',
  baseUrl: 'https://api.mistral.ai/v1',
  apiKeyVariable: 'MISTRAL_API_KEY',
  baseUrlVariable: 'MISTRAL_BASE_URL',
  dialect: { ...PLAIN_DIALECT, streamOptions: false, toolMediaFollows: false, strictTools: true, toolIdFormat: /^[a-zA-Z0-9]{9}$/, outputWithForcedTools: false },
}

/** OpenAI's models in one's own deployments; the key has a header of its own: https://learn.microsoft.com/azure/ai-services/openai/reference. */
export const AZURE: ChatServer = {
  provider: 'azure',
  apiKeyVariable: 'AZURE_OPENAI_API_KEY',
  baseUrlVariable: 'AZURE_OPENAI_ENDPOINT',
  needsKey: true,
  keyHeader: 'api-key',
  modelsPath: '/openai/models',
  dialect: { ...OPENAI_DIALECT, allowedTools: false },
}

/** https://docs.x.ai/docs/api-reference */
export const XAI: ChatServer = {
  ...HOSTED,
  provider: 'xai',
  baseUrl: 'https://api.x.ai/v1',
  apiKeyVariable: 'XAI_API_KEY',
  baseUrlVariable: 'XAI_BASE_URL',
  dialect: { ...PLAIN_DIALECT, strictTools: true },
}

/** https://docs.together.ai/reference/chat-completions-1 */
export const TOGETHER: ChatServer = {
  ...HOSTED,
  provider: 'together',
  baseUrl: 'https://api.together.xyz/v1',
  apiKeyVariable: 'TOGETHER_API_KEY',
  baseUrlVariable: 'TOGETHER_BASE_URL',
  dialect: { ...PLAIN_DIALECT, outputWithTools: false },
}

/** Searches the web and calls no tools; has no list of models: https://docs.perplexity.ai. */
export const PERPLEXITY: ChatServer = {
  provider: 'perplexity',
  baseUrl: 'https://api.perplexity.ai',
  apiKeyVariable: 'PERPLEXITY_API_KEY',
  baseUrlVariable: 'PERPLEXITY_BASE_URL',
  needsKey: true,
  keyHeader: 'bearer',
  dialect: { ...PLAIN_DIALECT, streamOptions: false, tools: false },
}

/** https://lmstudio.ai/docs/app/api/endpoints/openai */
export const LM_STUDIO: ChatServer = {
  ...LOCAL,
  provider: 'lm-studio',
  baseUrl: 'http://127.0.0.1:1234/v1',
  apiKeyVariable: 'LM_STUDIO_API_KEY',
  baseUrlVariable: 'LM_STUDIO_BASE_URL',
  dialect: { ...PLAIN_DIALECT, toolChoice: 'string', outputWithTools: false },
}

/** Every server that is known, by its name. */
export const CHAT_SERVERS = {
  openai: OPENAI,
  openrouter: OPENROUTER,
  ollama: OLLAMA,
  vllm: VLLM,
  'llama-cpp': LLAMA_CPP,
  deepseek: DEEPSEEK,
  groq: GROQ,
  mistral: MISTRAL,
  azure: AZURE,
  xai: XAI,
  together: TOGETHER,
  perplexity: PERPLEXITY,
  'lm-studio': LM_STUDIO,
} as const

export type ChatServerName = keyof typeof CHAT_SERVERS
