/** The bridge from a core tool to a tool of the runtime. Each core tool gets a class of its own through `rigTool`, so that it has a searchable name. */
import { type Json, type JsonSchema, type Tool, type ToolContext as RigToolContext, type ToolDefinition, ToolExecutionError, ToolOutput } from '@buildscale/rig'
import type { SessionConn } from '../../db/session-conn.ts'
import type { ToolCallRow } from '../../repositories/tool-call-repository.ts'
import { type ToolName, WORKSPACE_TOOLS } from '../../tools/registry.ts'
import { failedOutcome, prepareCall, type PreparedCall } from '../../tools/run-tool.ts'
import type { ToolContext, ToolServices } from '../../tools/tool.ts'
import { toolParameters } from '../../tools/tool-parameters.ts'
import { mediaOfCall } from './chat-media.ts'
import { resultForModel } from './chat-stored-message.ts'
import type { EndedCall, TurnLedger, TurnRecorder } from './chat-turn.ts'
import { rigResultContent } from './rig-history.ts'
import type { RigMedia } from './rig-media.ts'

/** What every wrapper holds: whose files, and the session's mutex around the database. */
export interface RigToolFields {
  readonly conn: SessionConn
  readonly workspaceId: string
  readonly userId: string
}

/** What a run gives its tools: where results go, and what the tools may use. Never sent to the model. */
export interface RigTurnDeps {
  readonly ledger: TurnLedger
  readonly recorder: Pick<TurnRecorder, 'call' | 'progress'>
  readonly services: ToolServices
  readonly media: Pick<RigMedia, 'admit' | 'part'>
  readonly mode: ToolContext['mode']
  readonly log: { error(details: object, message: string): void }
  /** Ends the run with an error that no model can do anything about: the claim is lost, the database is away. */
  fail(error: unknown): void
}

/** How often a call that takes long shows life. */
const PROGRESS_MS = 1_000

/** A tool of the runtime over one core tool. */
export interface RigToolClass<Name extends ToolName = ToolName> {
  readonly NAME: Name
  new (fields: RigToolFields): Tool<Json, ToolOutput, RigTurnDeps>
}

/** Makes the wrapper class of a core tool: `class RigLsTool extends rigTool('ls') {}`. */
export function rigTool<Name extends ToolName>(name: Name): RigToolClass<Name> {
  const definition = toolDefinition(name)
  const exclusive = WORKSPACE_TOOLS.some((tool) => tool.name === name && tool.effect !== 'read')
  return class implements Tool<Json, ToolOutput, RigTurnDeps> {
    static readonly NAME = name
    readonly name = name
    /** Writes and external effects run alone, in call order. */
    readonly exclusive = exclusive
    readonly #fields: RigToolFields

    constructor(fields: RigToolFields) {
      this.#fields = fields
    }

    definition(_prompt: string): ToolDefinition {
      return definition
    }

    /** The core tool checks its arguments itself, with words for the model. */
    parseArgs(raw: Json): Json {
      return raw
    }

    async call(args: Json, context: RigToolContext<RigTurnDeps>): Promise<ToolOutput> {
      const row = context.deps.recorder.call(context.turn, context.toolCallId)
      const ended = await runCall({ row, args, fields: this.#fields, context }).catch((error: unknown) => {
        context.deps.fail(error)
        throw error
      })
      if (ended.status === 'ok') return this.#output(row.name, ended, context.deps)
      throw new ToolExecutionError('other', resultForModel(ended))
    }

    async #output(name: string, ended: EndedCall, { media, fail }: RigTurnDeps): Promise<ToolOutput> {
      const shown = mediaOfCall({ name, ...ended })
      const part = shown === undefined ? undefined : await media.part(shown).catch((error: unknown) => {
        fail(error)
        throw error
      })
      return ToolOutput.of(...rigResultContent(ended, part))
    }
  }
}

interface RunningCall {
  readonly row: ToolCallRow
  readonly args: Json
  readonly fields: RigToolFields
  readonly context: RigToolContext<RigTurnDeps>
}

/** Runs the core tool and brings its outcome into the ledger. Rejects only for what is no tool failure. */
async function runCall(call: RunningCall): Promise<EndedCall> {
  const { ledger, media } = call.context.deps
  const startedAt = new Date()
  const prepared = await prepareAlive(call)
  return prepared.kind === 'finished' ? ledger.finish(call.row, media.admit(call.row.name, prepared.outcome), startedAt) : ledger.apply(call.row, (set) => prepared.apply(set), startedAt)
}

/** The slow part of a call: reads, searches, computes. Rejects when the run was aborted or the database is away; anything else that goes wrong is a failed call. */
async function prepareAlive({ row, args, fields, context }: RunningCall): Promise<PreparedCall> {
  const { recorder, services, mode, log } = context.deps
  const startedAt = performance.now()
  const alive = setInterval(() => recorder.progress(row, { elapsed_ms: Math.round(performance.now() - startedAt) }), PROGRESS_MS)
  try {
    return await prepareCall({ name: row.name, args }, { ...fields, ...services, mode, signal: context.signal })
  } catch (error) {
    context.signal.throwIfAborted()
    const outcome = failedOutcome(error)
    if (outcome.error.code === 'unavailable') throw error
    log.error({ err: error, call_id: row.id, tool: row.name }, 'a tool failed')
    return { kind: 'finished', outcome }
  } finally {
    clearInterval(alive)
  }
}

function toolDefinition(name: ToolName): ToolDefinition {
  const tool = WORKSPACE_TOOLS.find((candidate) => candidate.name === name)
  if (tool === undefined) throw new TypeError(`There is no core tool ${name}`)
  // A schema is JSON by nature; the round trip proves it, once, at start.
  const parameters: JsonSchema = JSON.parse(JSON.stringify(toolParameters(tool)))
  return { name, description: tool.description, parameters }
}
