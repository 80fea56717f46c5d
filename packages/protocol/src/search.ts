import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { nothing, path, queryInteger } from './shared.ts'
import { workspaceParams } from './workspaces.ts'

/** `text`: by words; `regex`: line by line, like grep; `semantic`: by meaning. */
export const SEARCH_MODES = ['text', 'regex', 'semantic'] as const
export type SearchMode = (typeof SEARCH_MODES)[number]

/** How far the search has followed the journal of the workspace. */
export const indexState = z.object({
  /** The change that it has come to, and the last one that there is. */
  seq: z.number().int(),
  change_seq: z.number().int(),
  behind: z.boolean(),
  /** How much can be found by meaning; null when this server cannot search by meaning. */
  semantic: z
    .object({
      chunks: z.number().int(),
      embedded: z.number().int(),
      pending: z.number().int(),
      /** Passages that the model does not take; words find them. */
      refused: z.number().int(),
      /** The model, as `provider:model`. */
      embedder: z.string(),
      /** True for the one that needs no key: it compares words and knows nothing of what they mean. */
      offline: z.boolean(),
      /** Why nothing can be embedded now. */
      last_error: z.string().nullable(),
    })
    .nullable(),
})
export type IndexState = z.output<typeof indexState>

export const searchHit = z.object({
  path: z.string(),
  /** From 1. */
  line: z.number().int(),
  end_line: z.number().int(),
  heading: z.string().nullable(),
  excerpt: z.string(),
  /** Parts of the excerpt that match: begin and end, in UTF-16 units. */
  highlights: z.array(z.tuple([z.number().int(), z.number().int()])),
  score: z.number(),
  /** The ways of searching that have found it. */
  sources: z.array(z.enum(SEARCH_MODES)),
})
export type SearchHit = z.output<typeof searchHit>

const base = { access: 'workspace', params: workspaceParams, body: nothing, bodyKind: 'none', responseKind: 'json', status: 200, method: 'GET' } as const

const modes = z
  .string()
  .max(100)
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(SEARCH_MODES)).transform((list) => [...new Set(list)]))

export const searchWorkspace = endpoint({
  ...base,
  name: 'searchWorkspace',
  summary: 'Search files by words, by meaning, or with a regular expression.',
  path: '/workspaces/:w/search',
  query: z.strictObject({
    q: z.string().trim().min(1).max(1000),
    mode: modes.default(['text', 'semantic']),
    path: path.default('/'),
    limit: queryInteger.pipe(z.number().min(1).max(100)).optional(),
  }),
  /** Best first. There is no next page: a narrower question is, which is what `truncated` says. */
  response: z.object({ items: z.array(searchHit), next_cursor: z.null(), truncated: z.boolean(), notice: z.string().nullable(), index: indexState }),
})

/** `wiki`: `[[Name]]`; `embed`: `![[Name]]`; `link`, `image`: Markdown's own; `url`: anything with a scheme, which leads out of the workspace. */
export const LINK_KINDS = ['wiki', 'embed', 'link', 'image', 'url'] as const

const link = {
  kind: z.enum(LINK_KINDS),
  /** As written. */
  target: z.string(),
  text: z.string(),
  line: z.number().int(),
}

/** A link of a file. `path` is where it leads now; null when nothing is there, or when it leads out of the workspace. */
export const fileLink = z.object({ ...link, path: z.string().nullable() })
export type FileLink = z.output<typeof fileLink>

/** A link that leads to a file. `path` is the file that it stands in. */
export const backlink = z.object({ ...link, path: z.string() })
export type Backlink = z.output<typeof backlink>

export const getFileLinks = endpoint({
  ...base,
  name: 'getFileLinks',
  summary: 'The links of a Markdown file, and the links of others that lead to it.',
  path: '/workspaces/:w/files/links',
  query: z.strictObject({ path }),
  response: z.object({ links: z.array(fileLink), backlinks: z.array(backlink), truncated: z.boolean(), index: indexState.omit({ semantic: true }) }),
})
