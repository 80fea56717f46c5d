/** The list of vectors that answers a request. */
import type { JsonObject } from '../json.ts'
import { embedText } from './embed-text.ts'
import type { EmbeddingsRequest } from './request.ts'

/** Tokens are estimated at four characters each. */
export function embeddingsObject({ model, texts, dimensions, format }: EmbeddingsRequest): JsonObject {
  const tokens = texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0)
  const data = texts.map((text, index) => {
    const vector = embedText(text, dimensions)
    return { object: 'embedding', index, embedding: format === 'base64' ? inBase64(vector) : [...vector] }
  })
  return { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } }
}

/** Little-endian floats of four bytes, as OpenAI packs them. */
function inBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4)
  vector.forEach((value, index) => void bytes.writeFloatLE(value, index * 4))
  return bytes.toString('base64')
}
