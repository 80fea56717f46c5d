import { HookError, PromptCancelledError, PromptError } from '../errors.ts'
import { tool, type Tool, type ToolContext } from '../tool/tool.ts'
import { ToolExecutionError } from '../tool/tool-error.ts'
import type { PromptResponse } from './agent-event.ts'
import type { RunOptions } from './run-options.ts'

/** How deep agents may call agents: a circle of them has to end. */
const MAX_DEPTH = 8

export interface AgentToolOptions {
  /** The agent's name unless given; characters that tool names cannot have become `_`. */
  readonly name?: string
  readonly description?: string
  /** The model calls that one call may make; the agent's own limit unless given. */
  readonly maxTurns?: number
}

/** What of an agent a tool needs. */
export interface CallableAgent<Deps> {
  readonly name: string
  readonly description: string | undefined
  run(prompt: string, options: RunOptions<Deps>): Promise<PromptResponse>
}

/** An agent as a tool: runs within the caller's signal and deps, and its spans nest in the call's. */
export function agentTool<Deps>(agent: CallableAgent<Deps>, { name = agent.name, description, maxTurns }: AgentToolOptions): Tool<{ readonly prompt: string }, string, Deps> {
  return tool({
    name: toolName(name),
    description: description ?? agent.description ?? `Asks the agent "${agent.name}" and gives its answer.`,
    parameters: {
      jsonSchema: { type: 'object', properties: { prompt: { type: 'string', description: 'What the agent is asked. It sees nothing else of this conversation.' } }, required: ['prompt'] },
      validate: promptOf,
    },
    call: async ({ prompt }, { signal, deps, depth, metadata }: ToolContext<Deps>) => {
      if (depth + 1 >= MAX_DEPTH) throw new ToolExecutionError('other', `Agents are nested too deep: ${MAX_DEPTH} at most`)
      try {
        const response = await agent.run(prompt, { signal, deps, depth: depth + 1, ...(maxTurns === undefined ? {} : { maxTurns }) })
        metadata.set('response', response)
        return response.output
      } catch (error) {
        throw toolError(error)
      }
    },
  })
}

/** That an agent came to no end is something the caller can act on; what went wrong below it stays here. */
function toolError(error: unknown): unknown {
  if (!(error instanceof PromptError) || error instanceof PromptCancelledError || error instanceof HookError) return error
  return new ToolExecutionError('other', `The agent gave no answer: ${error.message}`, { cause: error })
}

function promptOf(value: unknown): { readonly prompt: string } {
  if (typeof value === 'object' && value !== null && 'prompt' in value && typeof value.prompt === 'string') return { prompt: value.prompt }
  throw new TypeError('prompt: a text is required')
}

function toolName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || 'agent_tool'
}
