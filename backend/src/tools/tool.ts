/** What a core tool is and all that it may touch. Core tools know nothing of the agent runtime, of chats or of HTTP. */
import type { z } from 'zod'
import type { SessionConn } from '../db/session-conn.ts'
import type { ChangeSet } from '../services/files/change-set.ts'
import type { FileService } from '../services/files/file-service.ts'
import type { ShellService } from '../services/shell/shell-service.ts'
import type { WebPages } from '../services/web/web-pages.ts'
import type { WebSearchProvider } from '../services/web/web-search.ts'
import type { WorkspaceSearch } from '../services/search/workspace-search.ts'

/** All that a running tool may touch. */
export interface ToolContext {
  /** For reads: one statement (or a few that belong together) at a time, never held across child processes. */
  readonly conn: Pick<SessionConn, 'run'>
  readonly workspaceId: string
  readonly userId: string
  /** In `plan` mode tools that read are allowed, and calls that change nothing but plans (`inPlanMode`). */
  readonly mode: 'build' | 'plan'
  readonly signal: AbortSignal
  readonly files: Pick<FileService, 'stat' | 'list' | 'read' | 'readMany'>
  readonly search: Pick<WorkspaceSearch, 'grep' | 'glob' | 'search'>
  readonly shell: Pick<ShellService, 'run'>
  readonly pages: Pick<WebPages, 'read'>
  /** Undefined: the operator has configured none. */
  readonly webSearch: WebSearchProvider | undefined
}

/** What is the same for every call: the services behind the tools. */
export type ToolServices = Pick<ToolContext, 'files' | 'search' | 'shell' | 'pages' | 'webSearch'>

interface ToolDescription<Name extends string, Schema extends z.ZodType> {
  readonly name: Name
  /** For the model: what it does, when to use it. */
  readonly description: string
  /** A strict object schema in which every field is described. */
  readonly arguments: Schema
  /** False when this server cannot do it: models and lists are not shown the tool; whoever calls it anyway is told why. Default: true. */
  isOffered?(services: ToolServices): boolean
}

/** Changes nothing: may run beside other reads, and again. Throws `AppError` with a text that helps a model. */
export interface ReadTool<Name extends string = string, Schema extends z.ZodType = z.ZodType, Output = unknown> extends ToolDescription<Name, Schema> {
  readonly effect: 'read'
  /** The result is plain JSON of at most `RESULT_LIMIT_BYTES`. */
  run(args: z.output<Schema>, context: ToolContext): Promise<Output>
}

/** Changes files, in two phases. Both throw `AppError` with a text that helps a model. */
export interface WriteTool<Name extends string = string, Schema extends z.ZodType = z.ZodType, Prepared = unknown, Output = unknown> extends ToolDescription<Name, Schema> {
  readonly effect: 'write'
  /** Reads and computes, outside any transaction; may be slow, can be aborted, may run again. */
  prepare(args: z.output<Schema>, context: ToolContext): Promise<Prepared>
  /** Only SQL, milliseconds, in the transaction of `set`. What `prepare` saw is checked again here. */
  apply(prepared: Prepared, set: ChangeSet): Promise<Output>
  /** Whether a call changes nothing but plans, so that it may run in plan mode. Without it no call of this tool may. Throws like `prepare`. */
  inPlanMode?(args: z.output<Schema>): boolean
}

/** Any tool, its argument and result types forgotten: `run-tool.ts` validates before it calls. */
export type AnyTool = ReadTool | WriteTool

/** Gives a reading tool its exact types. */
export function defineReadTool<const Name extends string, Schema extends z.ZodType, Output>(
  tool: Omit<ReadTool<Name, Schema, Output>, 'effect'>,
): ReadTool<Name, Schema, Output> {
  return { ...tool, effect: 'read' }
}

/** Gives a writing tool its exact types. */
export function defineWriteTool<const Name extends string, Schema extends z.ZodType, Prepared, Output>(
  tool: Omit<WriteTool<Name, Schema, Prepared, Output>, 'effect'>,
): WriteTool<Name, Schema, Prepared, Output> {
  return { ...tool, effect: 'write' }
}
