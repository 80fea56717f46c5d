import { ApiError } from './api-error.ts'
import { readConversation } from './conversation.ts'
import type { ModelQuestion } from './model-question.ts'
import type { ModelAnswer } from './model-turn.ts'
import type { Script, ScriptCondition } from './script.ts'

/** Answers from a script; see script.ts for which turn answers what. */
export class ScriptedModel {
  readonly #turns: { readonly turn: Script['turns'][number]; uses: number }[]

  constructor(script: Script) {
    this.#turns = script.turns.map((turn) => ({ turn, uses: 0 }))
  }

  /** @throws ApiError 400 `script_exhausted` when no turn is left; 400 so that no client retries it */
  answer(question: ModelQuestion): ModelAnswer {
    const answer = this.find(question)
    if (answer === undefined) {
      const used = this.#turns.reduce((sum, { uses }) => sum + uses, 0)
      throw new ApiError(`The script has no turn for this request (${this.#turns.length} turns, ${used} answers given).`, { code: 'script_exhausted' })
    }
    return answer
  }

  /** The answer of the first turn that applies, which is used once more by it; undefined when none does. */
  find(question: ModelQuestion): ModelAnswer | undefined {
    const found = this.#turns.find(({ turn, uses }) => uses < turn.times && matches(turn.when, question))
    if (found === undefined) return undefined
    found.uses += 1
    return found.turn.answer
  }
}

function matches(when: ScriptCondition | undefined, question: ModelQuestion): boolean {
  if (question.wire === 'embeddings' && when?.wire !== 'embeddings') return false
  if (when === undefined) return true
  const { lastUserText, rounds } = readConversation(question)
  if (when.wire !== undefined && when.wire !== question.wire) return false
  if (when.model !== undefined && when.model !== question.model) return false
  if (when.tool !== undefined && !question.tools.includes(when.tool)) return false
  if (when.lastUser !== undefined && !lastUserText.includes(when.lastUser)) return false
  if (when.step !== undefined && when.step !== rounds.length) return false
  if (when.contains.length === 0) return true
  // Compared in JSON's spelling on both sides, so that quotes and line breaks match as written.
  const input = JSON.stringify(question.input)
  return when.contains.every((text) => input.includes(JSON.stringify(text).slice(1, -1)))
}
