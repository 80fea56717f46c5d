import type { CompletionRequest, Document, ToolChoice, ToolDefinition } from '../completion/completion-request.ts'
import type { JsonObject } from '../completion/json.ts'
import { Message } from '../completion/message.ts'
import type { AnyMessage, SystemMessage } from '../completion/message-types.ts'
import type { AgentConfig } from './agent-config.ts'
import type { AgentRun } from './agent-run.ts'
import type { RequestPatch } from './hooks.ts'
import type { OutputPlan, TurnOutput } from './output-schema.ts'
import type { RunOptions } from './run-options.ts'
import type { TurnTools } from './turn-tools.ts'

export interface RequestParts {
  readonly config: AgentConfig
  readonly options: RunOptions
  readonly patch: RequestPatch
  readonly tools: TurnTools
  readonly toolChoice: ToolChoice | undefined
  readonly plan: OutputPlan | undefined
  readonly output: TurnOutput | undefined
  /** Documents that were found for what is asked. */
  readonly retrieved: readonly Document[]
}

/** The request of one model call: the agent's settings, over them the run's, over them the patch for this call. */
export function modelRequest(run: AgentRun, parts: RequestParts): CompletionRequest {
  const { config, options, patch, toolChoice } = parts
  const system = systemMessage(parts)
  const tools = toolDefinitions(parts)
  const temperature = patch.temperature ?? options.temperature ?? config.temperature
  const maxTokens = patch.maxTokens ?? options.maxTokens ?? config.maxTokens
  const documents = [...config.documents, ...parts.retrieved, ...extraDocuments(patch)]
  const additionalParams = mergeParams([config.additionalParams, options.additionalParams, patch.additionalParams])
  return {
    messages: conversation(system, patch.history ?? run.base, run.fresh),
    ...(documents.length === 0 ? {} : { documents }),
    ...(tools.length === 0 ? {} : { tools }),
    ...(config.hostedTools.length === 0 ? {} : { hostedTools: config.hostedTools }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(additionalParams === undefined ? {} : { additionalParams }),
    ...outputSchema(parts),
  }
}

/** One copy of pointers, however long the conversation has become. */
function conversation(system: SystemMessage | undefined, base: readonly AnyMessage[], fresh: readonly AnyMessage[]): readonly AnyMessage[] {
  const beginning: readonly AnyMessage[] = system === undefined ? [] : [system]
  return beginning.concat(base, fresh)
}

function systemMessage({ config, patch, plan, output }: RequestParts): SystemMessage | undefined {
  const system = patch.preamble === undefined ? config.preamble : Message.system(patch.preamble)
  if (plan === undefined || output?.mode !== 'prompted') return system
  return Message.system(system === undefined ? plan.instructions : `${system.content}\n\n${plan.instructions}`)
}

function toolDefinitions({ tools, output }: RequestParts): readonly ToolDefinition[] {
  return output?.mode === 'tool' ? [...tools.definitions, output.definition] : tools.definitions
}

function outputSchema({ plan, output }: RequestParts): Pick<CompletionRequest, 'outputSchema'> {
  if (plan === undefined || output?.mode !== 'native') return {}
  const { name, jsonSchema, strict } = plan.spec
  return { outputSchema: { schema: jsonSchema, strict, ...(name === undefined ? {} : { name }) } }
}

function extraDocuments({ extraContext = [] }: RequestPatch): readonly Document[] {
  return extraContext.map((context, index) => (typeof context === 'string' ? { id: `extra_context_${index}`, text: context } : context))
}

function mergeParams(layers: readonly (JsonObject | undefined)[]): JsonObject | undefined {
  const given = layers.filter((layer) => layer !== undefined)
  return given.length < 2 ? given[0] : Object.assign({}, ...given)
}
