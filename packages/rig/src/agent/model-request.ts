import type { CompletionRequest, Document, ToolChoice } from '../completion/completion-request.ts'
import type { JsonObject } from '../completion/json.ts'
import { Message } from '../completion/message.ts'
import type { AgentConfig } from './agent-config.ts'
import type { AgentRun } from './agent-run.ts'
import type { RequestPatch } from './hooks.ts'
import type { RunOptions } from './run-options.ts'
import type { TurnTools } from './turn-tools.ts'

export interface RequestParts {
  readonly config: AgentConfig
  readonly options: RunOptions
  readonly patch: RequestPatch
  readonly tools: TurnTools
  readonly toolChoice: ToolChoice | undefined
}

/** The request of one model call: the agent's settings, over them the run's, over them the patch for this call. */
export function modelRequest(run: AgentRun, { config, options, patch, tools, toolChoice }: RequestParts): CompletionRequest {
  const system = patch.preamble === undefined ? config.preamble : Message.system(patch.preamble)
  const temperature = patch.temperature ?? options.temperature ?? config.temperature
  const maxTokens = patch.maxTokens ?? options.maxTokens ?? config.maxTokens
  const documents = [...config.documents, ...extraDocuments(patch)]
  const additionalParams = mergeParams([config.additionalParams, options.additionalParams, patch.additionalParams])
  return {
    messages: [...(system === undefined ? [] : [system]), ...(patch.history ?? run.base), ...run.fresh],
    ...(documents.length === 0 ? {} : { documents }),
    ...(tools.definitions.length === 0 ? {} : { tools: tools.definitions }),
    ...(config.hostedTools.length === 0 ? {} : { hostedTools: config.hostedTools }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(additionalParams === undefined ? {} : { additionalParams }),
  }
}

function extraDocuments({ extraContext = [] }: RequestPatch): readonly Document[] {
  return extraContext.map((context, index) => (typeof context === 'string' ? { id: `extra_context_${index}`, text: context } : context))
}

function mergeParams(layers: readonly (JsonObject | undefined)[]): JsonObject | undefined {
  const given = layers.filter((layer) => layer !== undefined)
  return given.length < 2 ? given[0] : Object.assign({}, ...given)
}
