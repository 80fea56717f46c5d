import type { CallOptions } from '../completion/completion-request.ts'
import { CompletionError } from '../errors.ts'
import { EmbeddingError } from './embedding-error.ts'
import type { Embedding, EmbeddingModel } from './embedding-model.ts'

/** The texts of a document that are embedded: one, several, or none when it shall not be found. */
export type EmbedDocument<T> = (document: T) => string | readonly string[]

/** A document with one embedding for each of its texts. */
export type EmbeddedDocument<T> = readonly [document: T, embeddings: readonly Embedding[]]

/** Texts that are on their way to a provider at any time, however many a request takes. */
const TEXTS_IN_FLIGHT = 1024

/**
 * Embeds many documents in as few calls as the model permits, several of them at once where a call takes few texts. Strings are embedded as they
 * are; for anything else the builder is given a function that takes the texts out of a document.
 */
export class EmbeddingsBuilder<T = string> {
  readonly #model: EmbeddingModel
  readonly #embed: EmbedDocument<T> | undefined
  readonly #documents: { readonly document: T; readonly texts: readonly string[] }[] = []

  constructor(model: EmbeddingModel, ...[embed]: [T] extends [string] ? [embed?: EmbedDocument<T>] : [embed: EmbedDocument<T>]) {
    this.#model = model
    this.#embed = embed
  }

  /** Adds a document. Throws `EmbeddingError` of kind `document` when the function that takes out its texts fails. */
  document(document: T): this {
    this.#documents.push({ document, texts: textsOf(document, this.#embed) })
    return this
  }

  /** Adds documents, each as `document` does. */
  documents(documents: Iterable<T>): this {
    for (const document of documents) this.document(document)
    return this
  }

  /**
   * The documents in the order of adding, each with its embeddings in the order of its texts. The first failure ends the calls that are under way.
   * Throws what the model throws, and `CompletionError` of kind `aborted` when the signal ends it.
   */
  async build(options: CallOptions = {}): Promise<readonly EmbeddedDocument<T>[]> {
    const documents = [...this.#documents]
    const batches = inBatches(documents.flatMap(({ texts }) => texts), this.#model.maxDocuments)
    const embeddings = (await embedBatches(batches, this.#model, options)).flat()
    let end = 0
    return documents.map(({ document, texts }) => {
      const start = end
      end += texts.length
      return [document, embeddings.slice(start, end)]
    })
  }
}

function textsOf<T>(document: T, embed: EmbedDocument<T> | undefined): readonly string[] {
  if (embed === undefined) {
    if (typeof document === 'string') return [document]
    throw new EmbeddingError('document', 'A document that is not a string needs a function that takes out its texts')
  }
  try {
    const texts = embed(document)
    return typeof texts === 'string' ? [texts] : [...texts]
  } catch (error) {
    throw new EmbeddingError('document', `No texts could be taken out of a document: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function inBatches(texts: readonly string[], maxDocuments: number): readonly (readonly string[])[] {
  const size = Math.max(1, maxDocuments)
  return Array.from({ length: Math.ceil(texts.length / size) }, (_, index) => texts.slice(index * size, (index + 1) * size))
}

/** Ends with nothing under way, whichever way it ends. */
async function embedBatches(batches: readonly (readonly string[])[], model: EmbeddingModel, options: CallOptions): Promise<readonly (readonly Embedding[])[]> {
  const failure = new AbortController()
  const signal = options.signal === undefined ? failure.signal : AbortSignal.any([options.signal, failure.signal])
  const results: (readonly Embedding[])[] = []
  const waiting = batches.entries()
  const work = async () => {
    for (const [index, batch] of waiting) {
      if (signal.aborted) throw aborted(signal)
      results[index] = await embedBatch(batch, model, { ...options, signal })
    }
  }
  const atOnce = Math.max(1, Math.floor(TEXTS_IN_FLIGHT / model.maxDocuments))
  const workers = Array.from({ length: Math.min(atOnce, batches.length) }, work)
  try {
    await Promise.all(workers)
  } catch (error) {
    failure.abort()
    await Promise.allSettled(workers)
    throw options.signal?.aborted === true ? aborted(options.signal) : error
  }
  return results
}

async function embedBatch(texts: readonly string[], model: EmbeddingModel, options: CallOptions): Promise<readonly Embedding[]> {
  const embeddings = await model.embedTexts(texts, options)
  if (embeddings.length !== texts.length) throw new EmbeddingError('response', `Expected ${texts.length} embeddings, got ${embeddings.length}`)
  return embeddings
}

function aborted(signal: AbortSignal): CompletionError {
  return new CompletionError('aborted', 'Embedding the documents was aborted', { cause: signal.reason })
}
