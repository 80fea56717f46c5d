export { type AgentConfig, type InvalidToolCallPolicy } from './agent/agent-config.ts'
export { type MultiTurnStreamItem, type PromptResponse } from './agent/agent-event.ts'
export { type AgentRunBudgets, type AgentRunJson, type AgentRunState, type PendingToolCall } from './agent/agent-run-json.ts'
export { AgentRun, type AgentRunOptions, type AgentStep, type AssistantTurn, type ResumableRun } from './agent/agent-run.ts'
export { AgentBuilder } from './agent/agent-builder.ts'
export { type AgentToolOptions } from './agent/agent-tool.ts'
export { Agent } from './agent/agent.ts'
export { type ConversationMemory } from './agent/conversation-memory.ts'
export {
  type AgentHook, type CompletionCallEvent, type CompletionCallVerdict, type HookContext, type InvalidToolCallEvent, type InvalidToolCallReason,
  type InvalidToolCallVerdict, type ModelSelectVerdict, type ModelTurnFinishedEvent, type ModelTurnVerdict, type PromptHook, type RequestPatch,
  type StopVerdict, type StreamingPromptHook, type ToolCallEvent, type ToolCallVerdict, type ToolResultEvent, type ToolResultVerdict, type Verdict,
} from './agent/hooks.ts'
export { outputSpec, type OutputMode, type OutputOptions, type OutputSpec } from './agent/output-schema.ts'
export { PromptRequest } from './agent/prompt-request.ts'
export { PromptSuspendedError } from './agent/prompt-suspended-error.ts'
export { type ContextIndex, type RetrievalQuery, type ToolIndex } from './agent/retrieval.ts'
export { type ResumeOptions, type RunOptions, type ToolCallDecision } from './agent/run-options.ts'
export { StreamingPromptRequest } from './agent/streaming-prompt-request.ts'
export {
  type AgentSpanResult, type AgentSpanStart, type ChatSpanResult, type ChatSpanStart, type Span, type Telemetry, type ToolSpanStart,
} from './agent/telemetry.ts'
export {
  type CompletionCall, type CompletionResponse, type FinishReason, type RawStreamingChoice, type ResponseIdentity, type StreamedAssistantContent,
  type StreamFinal, type StreamingCompletionResponse, type StreamListener,
} from './completion/completion-event.ts'
export { type CompletionModel, type ModelCapabilities } from './completion/completion-model.ts'
export { CompletionStream, type CompletionSink, type CompletionStreamOptions, type ProduceCompletion } from './completion/completion-stream.ts'
export { PartsAccumulator } from './completion/parts-accumulator.ts'
export { CompletionRequestBuilder, type CompletionSender } from './completion/completion-request-builder.ts'
export {
  type CallOptions, type CompletionRequest, type Document, type OutputSchema, type RetryPolicy, type ToolChoice, type ToolDefinition,
} from './completion/completion-request.ts'
export { type Json, type JsonObject, type JsonSchema } from './completion/json.ts'
export {
  type AssistantContent, type AssistantMessage, type AudioPart, type DocumentPart, type ImagePart, type MediaSource, type MessageInput, type ModelOrigin,
  type PartMeta, type ProviderCallIds, type ProviderItem, type Reasoning, type ReasoningContent, type SystemMessage, type TextPart, type ToolCall,
  type ToolFunction, type ToolResult, type ToolResultContent, type UserContent, type UserMessage, type VideoPart,
} from './completion/message-types.ts'
export { Message } from './completion/message.ts'
export { addUsage, ZERO_USAGE, type Usage } from './completion/usage.ts'
export { createModel, type CreateModelOptions, type ModelSource } from './create-model.ts'
export { EmbeddingError, type EmbeddingErrorKind } from './embeddings/embedding-error.ts'
export { type Embedding, type EmbeddingModel, type Vector } from './embeddings/embedding-model.ts'
export { EmbeddingsBuilder, type EmbedDocument, type EmbeddedDocument } from './embeddings/embeddings-builder.ts'
export {
  CompletionError, type CompletionErrorDetails, type CompletionErrorKind, ConfigError, ExtractionError, HookError, isRetryable, isRigError, MaxTurnsError,
  MaxTurnsError as MaxDepthError, MemoryError, NoAnswerError, PromptCancelledError, PromptError, RigError, StructuredOutputError, UnknownToolCallError,
} from './errors.ts'
export { ExtractorBuilder } from './extractor/extractor-builder.ts'
export { Extractor, type Extraction, type ExtractorParts } from './extractor/extractor.ts'
export { InMemoryConversationMemory } from './memory/in-memory-conversation-memory.ts'
export { type InferOutput, type SchemaLike, type StandardSchema } from './tool/schema.ts'
export { thinkTool, type ThinkArguments } from './tool/think-tool.ts'
export { DEFAULT_FEEDBACK, ToolExecutionError, type ToolErrorKind, type ToolExecutionErrorOptions } from './tool/tool-error.ts'
export { type ToolCallOutcome, ToolOutput } from './tool/tool-output.ts'
export { ToolServer, ToolSet } from './tool/tool-set.ts'
export { dynamicTool, tool, type Tool, type ToolContext, type ToolOptions } from './tool/tool.ts'
export { matchesFilter, type Filter } from './vector-store/filter.ts'
export { type EmbeddedDocumentWithId, InMemoryVectorStore, type InMemoryVectorStoreOptions } from './vector-store/in-memory-vector-store.ts'
export { type IndexStrategy } from './vector-store/index-strategy.ts'
export { vectorSearchTool, type VectorSearchArguments, type VectorSearchToolOptions } from './vector-store/search-tool.ts'
export { VectorStoreError, type VectorStoreErrorKind } from './vector-store/vector-store-error.ts'
export { type VectorSearchMatch, type VectorSearchRequest, type VectorSearchResult, type VectorStoreIndex } from './vector-store/vector-store-index.ts'
export * as anthropic from './providers/anthropic/anthropic.ts'
export { type LookupOptions } from './providers/get-json.ts'
export * as compatible from './providers/openai-compatible/compatible.ts'
export * as openai from './providers/openai/openai.ts'
