/** Rows as the API shows them. Pure. */
import type { Chat, Message, Part, ToolCallPart, Turn, Usage } from '@buildscale/protocol'
import { z } from 'zod'
import type { NumberedMessageRow } from '../../repositories/chat-message-repository.ts'
import type { ChatRow } from '../../repositories/chat-repository.ts'
import type { ToolCallRow } from '../../repositories/tool-call-repository.ts'
import type { StepRow, TurnRow } from '../../repositories/turn-repository.ts'
import type { AgentSnapshot } from '../agents/agent-definition.ts'
import { parseJson, visibleParts } from './chat-stored-message.ts'

export function viewChat(row: ChatRow): Chat {
  return {
    id: row.id,
    title: row.title,
    agent: row.agent,
    model: row.model,
    mode: row.mode,
    status: row.status,
    last_seq: row.event_seq,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  }
}

/** The file or folder that a call is about, for lists that have room for one line. */
export function callPath(args: unknown): string | null {
  const named = z.looseObject({ path: z.string().optional(), source: z.string().optional() }).safeParse(args)
  return named.success ? (named.data.path ?? named.data.source ?? null) : null
}

export function viewToolCall(row: ToolCallRow): ToolCallPart {
  return {
    id: row.id,
    type: 'tool_call',
    call_id: row.id,
    tool: row.name,
    args: parseJson(row.args),
    effect: row.effect,
    status: row.status,
    output: row.result === null ? null : parseJson(row.result),
    duration_ms: durationMs(row),
  }
}

export function durationMs(row: { readonly started_at: Date | null; readonly ended_at: Date | null }): number | null {
  return row.ended_at === null || row.started_at === null ? null : Math.max(0, row.ended_at.getTime() - row.started_at.getTime())
}

/** What a turn's answer is made of. */
export interface AnswerRows {
  readonly steps: readonly StepRow[]
  readonly calls: readonly ToolCallRow[]
}

export function viewMessage(row: NumberedMessageRow, answer: AnswerRows): Message {
  return {
    id: row.id,
    turn_id: row.turn_id,
    role: row.role,
    status: row.status === 'running' ? 'complete' : row.status,
    parts: row.role === 'user' ? questionParts(row) : answer.steps.flatMap((step) => stepParts(step, answer.calls)),
    model: row.model,
    usage: row.usage,
    created_at: row.created_at.toISOString(),
  }
}

function questionParts(row: NumberedMessageRow): Part[] {
  // A question's parts have no deltas: their ids only need to be stable and distinct.
  const id = (index: number): string => `${row.id.slice(0, -4)}${index.toString(16).padStart(4, '0')}`
  return visibleParts(row.content).flatMap((part, index): Part[] => {
    if (part.type === 'text' || part.type === 'reasoning') return [{ id: id(index), type: part.type, text: part.text }]
    return part.type === 'file' ? [{ id: id(index), type: 'file', path: part.path, version: part.version }] : []
  })
}

function stepParts(step: StepRow, calls: readonly ToolCallRow[]): Part[] {
  const ids = z.array(z.string().nullable()).parse(parseJson(step.parts))
  const ofStep = calls.filter((call) => call.step === step.number)
  let callIndex = 0
  return visibleParts(step.content).flatMap((part, index): Part[] => {
    const id = ids[index]
    if (part.type === 'tool_call') {
      const call = ofStep[callIndex++]
      return call === undefined ? [] : [viewToolCall(call)]
    }
    if (part.type === 'hidden' || part.type === 'file' || id === undefined || id === null) return []
    return [{ id, type: part.type, text: part.text }]
  })
}

const turnError = z.object({ code: z.string(), message: z.string(), retryable: z.boolean() })

/** What a turn is made of, with what it began with; undefined when it has not begun. */
export interface TurnRows extends AnswerRows {
  readonly snapshot: AgentSnapshot | undefined
  /** The person's message. */
  readonly question: string | undefined
}

export function viewTurn(row: TurnRow, { steps, calls, snapshot, question }: TurnRows): Turn {
  return {
    id: row.id,
    chat_id: row.chat_id,
    message_id: row.message_id,
    agent: { name: row.agent, path: snapshot?.agent.path ?? null, version: snapshot?.agent.version ?? null },
    skills: usedSkills({ snapshot, calls, attached: attachedSkills(question) }),
    status: row.status,
    attempt: row.attempt,
    steps: steps.map((step) => ({ number: step.number, model: step.model, usage: step.usage, started_at: step.started_at.toISOString(), ended_at: step.ended_at.toISOString() })),
    tool_calls: calls.map(viewToolCall),
    usage: row.usage ?? sumUsage(steps.map((step) => step.usage)),
    cost: row.cost,
    error: row.error === null ? null : turnError.parse(parseJson(row.error)),
    created_at: row.created_at.toISOString(),
    started_at: row.started_at?.toISOString() ?? null,
    ended_at: row.ended_at?.toISOString() ?? null,
  }
}

const shownFile = z.looseObject({ path: z.string(), version: z.number().int() })
const readResult = z.union([shownFile.transform((file) => [file]), z.looseObject({ files: z.array(z.unknown()) }).transform(({ files }) => files.flatMap((file) => shownFile.safeParse(file).data ?? []))])
/** The tools whose result is the text of files. */
const READERS: readonly string[] = ['read', 'read_multiple_files', 'cat']

interface AttachedSkill {
  readonly name: string
  readonly path: string
  readonly version: number
}

/** The skills whose text came with the message: the one that it names, and any that a person attached. */
function attachedSkills(question: string | undefined): readonly AttachedSkill[] {
  const parts = question === undefined ? [] : visibleParts(question)
  return parts.flatMap((part) => {
    const name = part.type === 'file' ? /^\/system\/skills\/([^/]+)\/SKILL\.md$/.exec(part.path)?.[1] : undefined
    return part.type !== 'file' || name === undefined ? [] : [{ name, path: part.path, version: part.version }]
  })
}

/** What was offered, and what a message brought along beside it; each with the version whose text the model got, which the ledger and the message know. */
function usedSkills({ snapshot, calls, attached }: { readonly snapshot: AgentSnapshot | undefined; readonly calls: readonly ToolCallRow[]; readonly attached: readonly AttachedSkill[] }): Turn['skills'] {
  const offered = (snapshot?.skills ?? []).map(({ name, path, version }) => ({ name, path, version }))
  const others = attached.filter(({ path }) => offered.every((skill) => skill.path !== path))
  return [...offered, ...others].map((skill) => ({ ...skill, read_version: readVersion(skill.path, calls) ?? attached.find(({ path }) => path === skill.path)?.version ?? null }))
}

function readVersion(path: string, calls: readonly ToolCallRow[]): number | undefined {
  const reads = calls.filter((call) => call.status === 'ok' && READERS.includes(call.name) && call.result?.includes(path) === true)
  return reads.flatMap((call) => readResult.safeParse(parseJson(call.result ?? 'null')).data ?? []).findLast((file) => file.path === path)?.version
}

/** Field-wise sum; null when nothing is known. */
export function sumUsage(usages: readonly (Usage | null)[]): Usage | null {
  const known = usages.filter((usage) => usage !== null)
  if (known.length === 0) return null
  return known.reduce((sum, usage) => ({
    input_tokens: sum.input_tokens + usage.input_tokens,
    cached_tokens: sum.cached_tokens + usage.cached_tokens,
    output_tokens: sum.output_tokens + usage.output_tokens,
    reasoning_tokens: sum.reasoning_tokens + usage.reasoning_tokens,
  }))
}

/** Sum of costs; null as soon as one is unknown, because a sum that leaves something out misleads. */
export function sumCost(costs: readonly (number | null)[]): number | null {
  return costs.reduce<number | null>((sum, cost) => (sum === null || cost === null ? null : sum + cost), costs.length === 0 ? null : 0)
}
