import { context, SpanKind, SpanStatusCode, trace, type Attributes, type Span as OtelSpan, type Tracer, type TracerProvider } from '@opentelemetry/api'
import type { AgentSpanResult, AgentSpanStart, ChatSpanResult, ChatSpanStart, Span, Telemetry, ToolSpanStart } from '../agent/telemetry.ts'
import type { FinishReason } from '../completion/completion-event.ts'
import type { Usage } from '../completion/usage.ts'
import { CompletionError } from '../errors.ts'
import type { ToolCallOutcome } from '../tool/tool-output.ts'
import { inputMessages, outputMessages, systemInstructions } from './message-content.ts'

export interface OpenTelemetryOptions {
  /** Records what is said: prompts, answers, arguments and results of tools. `false` unless given, for it is the users' own. */
  readonly recordContent?: boolean
  /** The globally registered one unless given. */
  readonly tracerProvider?: TracerProvider
}

/** Spans by the semantic conventions for generative AI: https://opentelemetry.io/docs/specs/semconv/gen-ai/. Without a registered SDK they cost next to nothing. */
export function openTelemetry({ recordContent = false, tracerProvider }: OpenTelemetryOptions = {}): Telemetry {
  const tracer = () => (tracerProvider ?? trace.getTracerProvider()).getTracer('@buildscale/rig')
  return {
    invokeAgent: (start) => invokeAgentSpan(tracer(), start, recordContent),
    chat: (start) => chatSpan(tracer(), start, recordContent),
    executeTool: (start) => executeToolSpan(tracer(), start, recordContent),
  }
}

function invokeAgentSpan(tracer: Tracer, { agentName, description, conversationId, model, prompt }: AgentSpanStart, recordContent: boolean): Span<AgentSpanResult> {
  const span = tracer.startSpan(`invoke_agent ${agentName}`, {
    kind: SpanKind.INTERNAL,
    attributes: {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': agentName,
      'gen_ai.provider.name': model.provider,
      'gen_ai.request.model': model.model,
      ...(description === undefined ? {} : { 'gen_ai.agent.description': description }),
      ...(conversationId === undefined ? {} : { 'gen_ai.conversation.id': conversationId }),
      ...(recordContent ? { 'gen_ai.input.messages': inputMessages(prompt) } : {}),
    },
  })
  return watched(span, ({ usage, output, finishReason }) => ({
    ...usageAttributes(usage),
    ...finishAttributes(finishReason),
    ...(recordContent ? { 'gen_ai.output.messages': outputMessages([{ type: 'text', text: output }], finishReason) } : {}),
  }))
}

function chatSpan(tracer: Tracer, { model, request, isStreaming }: ChatSpanStart, recordContent: boolean): Span<ChatSpanResult> {
  const { temperature, maxTokens, messages, outputSchema } = request
  const name = request.model ?? model.model
  const span = tracer.startSpan(`chat ${name}`, {
    kind: SpanKind.CLIENT,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': model.provider,
      'gen_ai.request.model': name,
      'gen_ai.request.stream': isStreaming,
      ...(temperature === undefined ? {} : { 'gen_ai.request.temperature': temperature }),
      ...(maxTokens === undefined ? {} : { 'gen_ai.request.max_tokens': maxTokens }),
      ...(outputSchema === undefined ? {} : { 'gen_ai.output.type': 'json' }),
      ...(recordContent ? { 'gen_ai.system_instructions': systemInstructions(messages), 'gen_ai.input.messages': inputMessages(messages) } : {}),
    },
  })
  return watched(span, ({ responseId, model: answered, usage, finishReason, content }) => ({
    ...(responseId === undefined ? {} : { 'gen_ai.response.id': responseId }),
    ...(answered === undefined ? {} : { 'gen_ai.response.model': answered }),
    ...(usage === undefined ? {} : usageAttributes(usage)),
    ...finishAttributes(finishReason),
    ...(recordContent ? { 'gen_ai.output.messages': outputMessages(content, finishReason) } : {}),
  }))
}

function executeToolSpan(tracer: Tracer, { name, toolCallId, arguments: args }: ToolSpanStart, recordContent: boolean): Span<ToolCallOutcome> {
  const span = tracer.startSpan(`execute_tool ${name}`, {
    kind: SpanKind.INTERNAL,
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.type': 'function',
      'gen_ai.tool.name': name,
      'gen_ai.tool.call.id': toolCallId,
      ...(recordContent ? { 'gen_ai.tool.call.arguments': JSON.stringify(args) } : {}),
    },
  })
  return watched(span, (outcome) => {
    // The run goes on with what the model is told; to whoever watches, the call has failed all the same.
    if (outcome.error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: outcome.error.kind })
    return {
      'gen_ai.tool.call.outcome': outcome.status,
      ...(outcome.error === undefined ? {} : { 'error.type': outcome.error.kind }),
      ...(recordContent ? { 'gen_ai.tool.call.result': JSON.stringify(outcome.content) } : {}),
    }
  })
}

/** What is started inside becomes a child; ends once, whatever happens. */
function watched<Result>(span: OtelSpan, attributesOf: (result: Result) => Attributes): Span<Result> {
  const inside = trace.setSpan(context.active(), span)
  return {
    run: (work) => context.with(inside, work),
    end: (result) => {
      span.setAttributes(attributesOf(result))
      span.end()
    },
    fail: (error) => {
      const type = errorType(error)
      span.setAttribute('error.type', type)
      span.setStatus({ code: SpanStatusCode.ERROR, message: type })
      span.end()
    },
  }
}

/** A name of few values: messages may hold what users have said. */
function errorType(error: unknown): string {
  if (error instanceof CompletionError) return error.status === undefined ? error.kind : String(error.status)
  return error instanceof Error ? error.name : '_OTHER'
}

function usageAttributes(usage: Usage): Attributes {
  return {
    'gen_ai.usage.input_tokens': usage.inputTokens,
    'gen_ai.usage.output_tokens': usage.outputTokens,
    'gen_ai.usage.cache_read.input_tokens': usage.cachedInputTokens,
    'gen_ai.usage.cache_creation.input_tokens': usage.cacheCreationInputTokens,
    'gen_ai.usage.reasoning_tokens': usage.reasoningTokens,
  }
}

function finishAttributes(reason: FinishReason | undefined): Attributes {
  return reason === undefined ? {} : { 'gen_ai.response.finish_reasons': [typeof reason === 'string' ? reason : reason.other] }
}
