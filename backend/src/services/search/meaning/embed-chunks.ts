/** One batch of chunks -> what an embedder makes of each. */
import type { ChunkRow } from '../../../repositories/semantic-passage-repository.ts'
import type { NewVector } from '../../../repositories/semantic-vector-repository.ts'
import { type Embedder, EmbedderError } from '../embedder.ts'
import { normalised, vectorBytes } from './vector-bytes.ts'

/** What the embedder reads of a chunk. */
export function embeddedText({ context, body }: Pick<ChunkRow, 'context' | 'body'>): string {
  return context === '' ? body : `${context}\n\n${body}`
}

/**
 * A vector or a refusal for each chunk, in order. A batch that is refused is halved until the texts that nobody takes stand alone. Throws an `EmbedderError` of
 * kind `unavailable` when the embedder does not work at all, or answers nonsense.
 */
export async function embedChunks(embedder: Embedder, chunks: readonly ChunkRow[], signal: AbortSignal): Promise<readonly NewVector[]> {
  try {
    const vectors = await embedTexts(embedder, chunks.map(embeddedText), signal)
    return chunks.map(({ hash }, index) => newVector(hash, vectors[index]))
  } catch (error) {
    if (!(error instanceof EmbedderError) || error.kind !== 'refused') throw error
    const [only, second] = chunks
    if (only === undefined) return []
    if (second === undefined) return [await refusal({ embedder, hash: only.hash, error, signal })]
    const half = Math.ceil(chunks.length / 2)
    return [...(await embedChunks(embedder, chunks.slice(0, half), signal)), ...(await embedChunks(embedder, chunks.slice(half), signal))]
  }
}

/** As `Embedder.embed`, for embedders that may answer anything: as many vectors as texts, all of one length. */
export async function embedTexts(embedder: Embedder, texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]> {
  const vectors = await embedder.embed(texts, signal)
  if (vectors.length !== texts.length) throw new EmbedderError('unavailable', `${embedder.id} answered ${vectors.length} vectors for ${texts.length} texts.`)
  const lengths = new Set(vectors.map(({ length }) => length))
  if (lengths.size > 1 || lengths.has(0)) throw new EmbedderError('unavailable', `${embedder.id} answered vectors of different lengths: ${[...lengths].join(', ')}.`)
  return vectors
}

function newVector(hash: Buffer, vector: Float32Array | undefined): NewVector {
  const unit = vector === undefined ? undefined : normalised(vector)
  return unit === undefined ? { hash, vector: null, refusal: 'Its vector has no direction.' } : { hash, vector: vectorBytes(unit), refusal: null }
}

interface Refused {
  readonly embedder: Embedder
  readonly hash: Buffer
  readonly error: EmbedderError
  readonly signal: AbortSignal
}

/** A text is only to blame when the embedder takes another one; a wrong model name or a bad setting would refuse every text. */
async function refusal({ embedder, hash, error, signal }: Refused): Promise<NewVector> {
  try {
    await embedder.embed(['text'], signal)
  } catch (cause) {
    if (cause instanceof EmbedderError) throw new EmbedderError('unavailable', cause.message, { cause })
    throw cause
  }
  return { hash, vector: null, refusal: error.message }
}
