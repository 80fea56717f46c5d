import type { RunOutcome } from './execute-run.ts'
import type { ExchangeGate } from './exchange-gate.ts'
import type { Json } from './json.ts'
import { makeClient, makeEmbeddingModel } from './make-model.ts'
import type { ClientSettings, Lookup } from './recorded-request.ts'

interface LookupCall {
  readonly lookup: Lookup
  readonly settings: { readonly model: string; readonly client: ClientSettings }
  readonly origin: string
  readonly signal: AbortSignal
}

/** Has the runtime ask, when its place in the recording has come. Never throws: how it ended is in the outcome. */
export async function executeLookup(call: LookupCall, { gate, exchange }: { readonly gate: ExchangeGate; readonly exchange: number }): Promise<RunOutcome> {
  const rest = { streamedTexts: new Map<number, string>(), isCallerInput: false }
  try {
    await gate.enter(exchange)
    return { end: { type: 'values', values: await lookUp(call) }, ...rest }
  } catch (error) {
    return { end: { type: 'failed', error }, ...rest }
  }
}

/** What the runtime finds: vectors, or the ids of models. Throws its errors. */
export async function lookUp({ lookup, settings: { model, client }, origin, signal }: LookupCall): Promise<Json> {
  switch (lookup.type) {
    case 'models': return makeClient(client, origin).listModels({ signal })
    case 'embeddings': {
      const { texts, ndims, encodingFormat } = lookup
      // As many texts in one request as were recorded.
      const embeddings = makeEmbeddingModel({ model, client, ndims, encodingFormat, maxDocuments: texts.length }, origin)
      return (await embeddings.embedTexts(texts, { signal })).map(({ vec }) => Array.from(vec))
    }
  }
}
