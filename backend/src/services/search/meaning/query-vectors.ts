import { AppError } from '../../../errors.ts'
import { embedTexts } from './embed-chunks.ts'
import { type Embedder, EmbedderError } from '../embedder.ts'
import { normalised } from './vector-bytes.ts'

/** Questions that are asked again, by the next page or the next keystroke, are not embedded again. */
const REMEMBERED = 200
const MAX_LETTERS = 2_000
const LIMIT_MS = 15_000

/** Vectors of questions. */
export class QueryVectors {
  readonly #embedder: Embedder
  /** In the order of use, the latest last. */
  readonly #known = new Map<string, Float32Array>()

  constructor(embedder: Embedder) {
    this.#embedder = embedder
  }

  /** Throws `unavailable` when the embedder does not answer, `invalid_request` when it does not take the question. */
  async vectorOf(query: string, signal: AbortSignal): Promise<Float32Array> {
    const text = query.slice(0, MAX_LETTERS).toWellFormed()
    const vector = this.#known.get(text) ?? (await this.#embed(text, signal))
    this.#known.delete(text)
    this.#known.set(text, vector)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED) break
      this.#known.delete(oldest)
    }
    return vector
  }

  async #embed(text: string, signal: AbortSignal): Promise<Float32Array> {
    const limit = AbortSignal.timeout(LIMIT_MS)
    try {
      const [vector] = await embedTexts(this.#embedder, [text], AbortSignal.any([signal, limit]))
      const unit = vector === undefined ? undefined : normalised(vector)
      if (unit === undefined) throw new EmbedderError('refused', 'The question has no meaning that could be compared.')
      return unit
    } catch (error) {
      if (signal.aborted) throw error
      if (limit.aborted) throw unavailable(`${this.#embedder.id} did not answer within ${LIMIT_MS / 1_000} seconds.`, error)
      if (!(error instanceof EmbedderError)) throw error
      if (error.kind === 'unavailable') throw unavailable(error.message, error)
      throw new AppError('invalid_request', `The question cannot be searched by meaning: ${error.message} Search by words instead.`, { cause: error })
    }
  }
}

function unavailable(reason: string, cause: unknown): AppError {
  return new AppError('unavailable', `Search by meaning does not work right now: ${reason} Search by words, or try again in a moment.`, { cause })
}
