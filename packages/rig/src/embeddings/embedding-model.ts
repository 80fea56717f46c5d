import type { CallOptions } from '../completion/completion-request.ts'
import { EmbeddingError } from './embedding-error.ts'

/** Coordinates, finite all of them. Of the two only an array is written as a list by `JSON.stringify`: use `Array.from` before storing as JSON. */
export type Vector = readonly number[] | Float32Array

/** A text and where it lies: texts of similar meaning point in similar directions. */
export interface Embedding {
  readonly document: string
  readonly vec: Vector
}

/** What turns texts into vectors. */
export interface EmbeddingModel {
  /** The most texts that one call of `embedTexts` takes, 1 or more. */
  readonly maxDocuments: number
  /** How many coordinates a vector has; 0 when that is not known before the first answer. */
  readonly ndims: number
  /** One embedding for each text, in the order of the texts. Throws `EmbeddingError`, and `CompletionError` when the call fails or is aborted. */
  embedTexts(texts: readonly string[], options?: CallOptions): Promise<readonly Embedding[]>
  /** The embedding of one text. Throws as `embedTexts` does. */
  embedText(text: string, options?: CallOptions): Promise<Embedding>
}

/** `embedText` for whoever implements `embedTexts`: the only embedding of an answer. Throws `EmbeddingError` when there is another number of them. */
export function onlyEmbedding(embeddings: readonly Embedding[]): Embedding {
  const [embedding] = embeddings
  if (embedding === undefined || embeddings.length > 1) throw new EmbeddingError('response', `Expected 1 embedding, got ${embeddings.length}`)
  return embedding
}
