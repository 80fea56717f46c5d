import { RigError } from '../errors.ts'

/**
 * What went wrong in a vector store. `dimensions`: vectors of different models or settings meet; `vector`: a vector with a coordinate that is no
 * finite number; `request`: a search or a setting that makes no sense; `datastore`: what is behind the store failed, or cannot do what was asked.
 */
export type VectorStoreErrorKind = 'dimensions' | 'vector' | 'request' | 'datastore'

/** A vector store cannot do as told. */
export class VectorStoreError extends RigError {
  readonly kind: VectorStoreErrorKind

  constructor(kind: VectorStoreErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
