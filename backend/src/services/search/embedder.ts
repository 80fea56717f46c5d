/** What turns texts into vectors: texts of similar meaning point in similar directions. */
export interface Embedder {
  /** Which model makes the vectors, as `provider:model`. Vectors of different ids are never compared. */
  readonly id: string
  /** True for the offline one, which compares words and knows nothing of what they mean. */
  readonly isOffline: boolean
  /** Cosines up to this are chance and mean nothing. */
  readonly noise: number
  /** One vector for each text, in their order. Throws an `EmbedderError`, and whatever the signal aborts with. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>
}

/** `refused`: the service is there and does not take these texts; `unavailable`: it may take them later. */
export type EmbedderErrorKind = 'refused' | 'unavailable'

/** Texts were not embedded. The message is a sentence for people and names no secret. */
export class EmbedderError extends Error {
  override readonly name = 'EmbedderError'
  readonly kind: EmbedderErrorKind

  constructor(kind: EmbedderErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
