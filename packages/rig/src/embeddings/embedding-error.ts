import { RigError } from '../errors.ts'

/**
 * What went wrong with an embedding, apart from the call itself (that is a `CompletionError`, as with any call of a provider). `document`: nothing
 * to embed could be taken from a document; `request`: texts that no provider would take; `json`, `response`: the answer makes no sense.
 */
export type EmbeddingErrorKind = 'document' | 'request' | 'json' | 'response'

/** Texts could not be embedded. */
export class EmbeddingError extends RigError {
  readonly kind: EmbeddingErrorKind

  constructor(kind: EmbeddingErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
