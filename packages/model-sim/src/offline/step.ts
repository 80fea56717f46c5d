import type { ToolResult } from './tool-result.ts'

export interface ToolRequest {
  readonly tool: string
  readonly arguments: Readonly<Record<string, unknown>>
}

/** One answer that asks for tools: what it is for, and the calls, which may run side by side. */
export interface Step {
  readonly thought: string
  readonly calls: readonly ToolRequest[]
}

/** A piece of work: yields steps and receives the results of each, in call order. */
export type Work = Generator<Step, void, readonly ToolResult[]>

export const NO_RESULT: ToolResult = { type: 'failed', reason: 'there was no result' }
