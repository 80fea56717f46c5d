import { arrayAt, isJsonObject, stringAt, tryParseJson, type JsonObject } from '../completion/json.ts'
import { CompletionError } from '../errors.ts'
import type { HttpClient } from '../http/http-client.ts'
import { withRetry } from '../http/retry.ts'
import { readText } from '../http/transport.ts'

/** What questions about a provider itself take. */
export interface LookupOptions {
  readonly signal?: AbortSignal
}

/** The JSON object at `path`, with the client's retries. Throws `CompletionError`. */
export function getJson(http: HttpClient, path: string, { signal = new AbortController().signal }: LookupOptions = {}): Promise<JsonObject> {
  const attempt = async () => {
    const answer = tryParseJson(await readText(await http.get(path, { signal })))
    if (!isJsonObject(answer)) throw new CompletionError('json', `The answer to ${path} is not a JSON object`)
    return answer
  }
  return withRetry(attempt, { policy: http.retry, signal })
}

/** The ids in a list of models as OpenAI and Anthropic send it. */
export function modelIds(list: JsonObject): readonly string[] {
  return arrayAt(list, 'data').filter(isJsonObject).flatMap((model) => stringAt(model, 'id') ?? [])
}
