import type { CompletionRequest, OutputSchema, ToolChoice } from '../../completion/completion-request.ts'
import type { JsonObject } from '../../completion/json.ts'
import { schemaName } from '../schema-name.ts'
import { strictSchema } from '../strict-schema.ts'
import type { ChatDialect } from './chat-dialect.ts'

/** The schema that the answer to this request is asked for, now; `undefined` when it is not the time yet. */
export function dueOutputSchema(request: CompletionRequest, { outputWithForcedTools }: ChatDialect, hasTools: boolean): OutputSchema | undefined {
  if (request.outputSchema === undefined || !hasTools || request.toolChoice === 'none') return request.outputSchema
  // With a format from the start models answer at once and never call a tool.
  if (!holdsToolResult(request)) return undefined
  return isForced(request.toolChoice) && !outputWithForcedTools ? undefined : request.outputSchema
}

/** The value of `response_format`: https://platform.openai.com/docs/guides/structured-outputs. */
export function responseFormat(outputSchema: OutputSchema, dialect: ChatDialect): JsonObject {
  const { schema, strict = true } = outputSchema
  if (dialect.responseFormat === 'json_object') return { type: 'json_object' }
  return { type: 'json_schema', json_schema: { name: schemaName(outputSchema), schema: strict ? strictSchema(schema) : schema, strict } }
}

/** Tells the schema to a model whose server has no place for it. */
export function schemaInstruction({ schema }: OutputSchema): string {
  return `Answer with one JSON object and nothing else. It has to fit this JSON Schema:\n${JSON.stringify(schema)}`
}

function holdsToolResult({ messages }: CompletionRequest): boolean {
  return messages.some((message) => message.role === 'user' && message.content.some((part) => part.type === 'tool_result'))
}

function isForced(choice: ToolChoice | undefined): boolean {
  return choice === 'required' || typeof choice === 'object'
}
