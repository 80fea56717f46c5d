/** The namespace `openai` of the package. */
export { Client, type ClientOptions } from './client.ts'
export { type SystemInstructions } from './encode-request.ts'
export * from './models.ts'
export { ResponsesCompletionModel, type ResponsesModelOptions } from './responses-completion-model.ts'
export { OpenAiEmbeddingModel, type OpenAiEmbeddingModelOptions, type OpenAiEmbeddingOptions } from './embedding-model.ts'
export { CompletionsClient, type CompletionsClientOptions } from '../openai-compatible/client.ts'
