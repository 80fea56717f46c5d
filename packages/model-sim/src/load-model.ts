/**
 * Answers for measuring clients, their bytes prepared before they are asked for again. Model names:
 *   load:text:N             N text deltas, as fast as the line takes them
 *   load:text:N:R           the same, one delta per write, R writes a second
 *   load:steps:K            K answers with one call of the first offered tool each, then a text; the step is read from the conversation
 */
import { createHash } from 'node:crypto'
import { ApiError } from './api-error.ts'
import { readConversation } from './conversation.ts'
import type { ModelAnswer, ModelTurn } from './model-turn.ts'
import type { WireRequest } from './wire.ts'

type LoadPlan = { readonly type: 'text'; readonly deltas: number; readonly perSecond: number | undefined } | { readonly type: 'steps'; readonly steps: number }
type Prepared = Extract<ModelAnswer, { type: 'prepared' }>

const MAXIMUM = 200_000
const KEPT_BYTES = 128 * 1024 * 1024
const BURST_BYTES = 65_536

export function isLoadModel(name: string): boolean {
  return name.startsWith('load:')
}

export class LoadModel {
  readonly #prepared = new Map<string, Prepared>()
  #bytes = 0

  /**
   * @param name which load model answers, whatever the request calls it
   * @throws ApiError `model_not_found` when the name is not one of the forms above
   */
  answer(request: WireRequest, name: string): ModelAnswer {
    const { question, variant } = request
    const plan = parseLoadName(name)
    const { userTurns, rounds } = readConversation(question)
    const tool = question.tools[0]
    const key = `${question.wire}|${variant}|${question.model}|${name}|${userTurns}|${rounds.length}|${tool ?? ''}`
    const known = this.#prepared.get(key)
    if (known !== undefined) return known
    const fresh = prepare(request, { plan, step: rounds.length, tool, key })
    this.#keep(key, fresh)
    return fresh
  }

  #keep(key: string, answer: Prepared): void {
    if (this.#bytes > KEPT_BYTES) {
      this.#prepared.clear()
      this.#bytes = 0
    }
    this.#prepared.set(key, answer)
    this.#bytes += answer.frames.reduce((sum, frame) => sum + frame.length, answer.body.length)
  }
}

function parseLoadName(name: string): LoadPlan {
  const [, kind, count, rate] = name.split(':')
  const number = positive(count)
  if (kind === 'text' && number !== undefined && (rate === undefined || positive(rate) !== undefined)) return { type: 'text', deltas: number, perSecond: positive(rate) }
  if (kind === 'steps' && number !== undefined && rate === undefined) return { type: 'steps', steps: number }
  throw new ApiError(`The requested model '${name}' does not exist. Load models are load:text:N, load:text:N:RATE and load:steps:K.`, { param: 'model', code: 'model_not_found' })
}

function positive(text: string | undefined): number | undefined {
  const number = Number(text)
  return Number.isInteger(number) && number > 0 && number <= MAXIMUM ? number : undefined
}

function prepare(request: WireRequest, options: { readonly plan: LoadPlan; readonly step: number; readonly tool: string | undefined; readonly key: string }): Prepared {
  const { plan, step, tool, key } = options
  const turn = plan.type === 'text' ? textTurn(plan.deltas) : step < plan.steps && tool !== undefined ? callTurn(tool, step) : textTurn(20)
  // The same question gets the same ids every time; different steps and turns get different ones.
  const responseKey = createHash('sha256').update(key).digest('hex').slice(0, 32)
  const encoded = request.encode(turn, { responseKey, createdAt: 1_700_000_000 })
  const frames = encoded.frames.map((frame) => Buffer.from(frame))
  const perSecond = plan.type === 'text' ? plan.perSecond : undefined
  return { type: 'prepared', frames: perSecond === undefined ? inBursts(frames) : frames, body: Buffer.from(JSON.stringify(encoded.body)), eventsPerSecond: perSecond }
}

const WORDS = ['the ', 'files ', 'of ', 'this ', 'workspace ', 'are ', 'kept ', 'as ', 'versions, ', 'never ', 'lost. ']

function textTurn(deltas: number): ModelTurn {
  const words = Array.from({ length: deltas }, (_, index) => WORDS[index % WORDS.length] ?? '')
  return { parts: [{ type: 'text', deltas: words }], end: { type: 'completed' }, delivery: {}, usage: { inputTokens: 100, outputTokens: deltas } }
}

/** About 25 events, as a small call of a real model has. */
function callTurn(name: string, step: number): ModelTurn {
  const text = JSON.stringify({ step, path: `/src/folder/file-${step}.ts`, reason: 'to see what is written there, and whether it is of use' })
  const deltas = text.match(/.{1,6}/gsu) ?? []
  return { parts: [{ type: 'call', name, deltas }], end: { type: 'completed' }, delivery: {}, usage: { inputTokens: 100 + step * 40, outputTokens: deltas.length } }
}

function inBursts(frames: readonly Buffer[]): readonly Buffer[] {
  const whole = Buffer.concat(frames)
  return Array.from({ length: Math.ceil(whole.length / BURST_BYTES) }, (_, index) => whole.subarray(index * BURST_BYTES, (index + 1) * BURST_BYTES))
}
