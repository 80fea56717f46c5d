import type { CallOptions } from '../completion/completion-request.ts'
import { onlyEmbedding, type Embedding, type EmbeddingModel } from './embedding-model.ts'

/**
 * An embedding model without a network, for tests: texts are as similar as the words they share. A word always falls on the same coordinate, so
 * two words fall together now and then when `ndims` is small. Keeps the batches it was asked for.
 */
export class BagOfWordsModel implements EmbeddingModel {
  readonly maxDocuments: number
  readonly ndims: number
  readonly batches: (readonly string[])[] = []

  constructor({ maxDocuments = 64, ndims = 256 }: { readonly maxDocuments?: number; readonly ndims?: number } = {}) {
    this.maxDocuments = maxDocuments
    this.ndims = ndims
  }

  async embedTexts(texts: readonly string[], options: CallOptions = {}): Promise<readonly Embedding[]> {
    options.signal?.throwIfAborted()
    this.batches.push(texts)
    return texts.map((document) => ({ document, vec: this.#count(document) }))
  }

  async embedText(text: string, options?: CallOptions): Promise<Embedding> {
    return onlyEmbedding(await this.embedTexts([text], options))
  }

  #count(text: string): readonly number[] {
    const counts = Array.from({ length: this.ndims }, () => 0)
    for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
      const coordinate = hash(word) % this.ndims
      counts[coordinate] = (counts[coordinate] ?? 0) + 1
    }
    return counts
  }
}

/** FNV-1a, 32 bits. */
function hash(word: string): number {
  let value = 0x811c9dc5
  for (const byte of Buffer.from(word)) value = Math.imul(value ^ byte, 0x01000193) >>> 0
  return value
}
