import { ApiError } from './api-error.ts'
import { readConversation } from './conversation.ts'
import type { ModelAnswer } from './model-turn.ts'
import type { ResponsesRequest } from './responses/request.ts'
import type { Script, ScriptCondition } from './script.ts'

/** Answers from a script; see script.ts for which turn answers what. */
export class ScriptedModel {
  readonly #turns: { readonly turn: Script['turns'][number]; uses: number }[]

  constructor(script: Script) {
    this.#turns = script.turns.map((turn) => ({ turn, uses: 0 }))
  }

  /** @throws ApiError 400 `script_exhausted` when no turn is left; 400 so that no client retries it */
  answer(request: ResponsesRequest): ModelAnswer {
    const found = this.#turns.find(({ turn, uses }) => uses < turn.times && matches(turn.when, request))
    if (found === undefined) {
      const used = this.#turns.reduce((sum, { uses }) => sum + uses, 0)
      throw new ApiError(`The script has no turn for this request (${this.#turns.length} turns, ${used} answers given).`, { code: 'script_exhausted' })
    }
    found.uses += 1
    return found.turn.answer
  }
}

function matches(when: ScriptCondition | undefined, request: ResponsesRequest): boolean {
  if (when === undefined) return true
  const { lastUserText, rounds } = readConversation(request)
  if (when.model !== undefined && when.model !== request.model) return false
  if (when.tool !== undefined && !request.tools.some((tool) => tool.name === when.tool)) return false
  if (when.lastUser !== undefined && !lastUserText.includes(when.lastUser)) return false
  if (when.step !== undefined && when.step !== rounds.length) return false
  if (when.contains.length === 0) return true
  // Compared in JSON's spelling on both sides, so that quotes and line breaks match as written.
  const input = JSON.stringify(request.input)
  return when.contains.every((text) => input.includes(JSON.stringify(text).slice(1, -1)))
}
