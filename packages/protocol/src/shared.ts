import { z } from 'zod'

/** A UUID; ids made by the server are version 7. */
export const id = z.uuid()
export const time = z.iso.datetime({ offset: true })
/** What an endpoint without parameters, query or body declares. */
export const nothing = z.strictObject({})
/** The body of a 204. */
export const empty = z.undefined()

/** A boolean in a query string. */
export const queryFlag = z.enum(['true', 'false']).transform((value) => value === 'true')
/** A whole number ≥ 0 in a query string. */
export const queryInteger = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number ≥ 0')
  .transform(Number)

/** `?limit=&cursor=` of a list: 1 to 1,000 items a page, 100 by default. */
export const paging = {
  limit: queryInteger.pipe(z.number().min(1).max(1000)).optional(),
  cursor: z.string().max(500).optional(),
}

/** One page of a list; `next_cursor` is null on the last one. */
export function page<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() })
}

/** A file path as a client may write it; the server normalises and checks it. */
export const path = z.string().max(4096)

export const usage = z.object({
  input_tokens: z.number().int(),
  cached_tokens: z.number().int(),
  output_tokens: z.number().int(),
  reasoning_tokens: z.number().int(),
})
/** Tokens of a model call or turn. `cached_tokens` and `reasoning_tokens` are parts of input and output. */
export type Usage = z.output<typeof usage>
