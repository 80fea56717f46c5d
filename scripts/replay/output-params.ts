import { objectAt, type JsonObject } from './json.ts'
import type { Settings } from './recorded-request.ts'

/** The form that the answer must have, in the provider's own words: for agents, whose output schemas do more than was recorded. */
export function rawOutputParams({ outputSchema, params, client }: Settings): JsonObject {
  if (outputSchema === undefined) return {}
  const { name = '', schema, strict = true } = outputSchema
  switch (client.wire) {
    case 'responses': return { text: { ...objectAt(params, 'text'), format: { type: 'json_schema', name, schema, strict } } }
    case 'chat': return { response_format: { type: 'json_schema', json_schema: { name, schema, strict } } }
    case 'messages': return { output_config: { ...objectAt(params, 'output_config'), format: { type: 'json_schema', schema } } }
  }
}
