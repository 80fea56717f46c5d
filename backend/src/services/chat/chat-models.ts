/** Which models a chat can use, as far as the chat cares. Implemented by `RigModels`. */
export interface ModelCatalog {
  /** `provider:model` of the model that is used when nobody names one. */
  readonly defaultModel: string
  /** The full id of a model that can be used now; a bare name means the default provider's. Throws `invalid_request` naming what is possible. */
  resolve(name: string): string
}
