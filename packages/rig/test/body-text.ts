import type { RequestBody } from '../src/http/transport.ts'

/** A request's body as the JSON text that goes over the wire. */
export function bodyText(body: RequestBody): string {
  return Buffer.concat(body.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))).toString()
}
