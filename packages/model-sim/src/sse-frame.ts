/** Server-sent events as text. */
import type { JsonObject } from './json.ts'

/** A frame that names its event after the `type` inside. */
export function eventFrame(event: JsonObject): string {
  return `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`
}

/** A frame without a name. */
export function dataFrame(data: JsonObject): string {
  return `data: ${JSON.stringify(data)}\n\n`
}
