import { ConfigError } from '../../errors.ts'

/** How long the provider keeps what is marked: five minutes, or an hour for a higher price. */
export type CacheTtl = '5m' | '1h'

/** What is marked besides the end of the system text, and for how long. */
export interface PromptCaching {
  /** Also marks the last tool: worth it when the system text changes from call to call and the tools do not. */
  readonly tools?: boolean
  /** Whether the end of the conversation is marked; `true` unless given. Not worth it for conversations that nothing follows. */
  readonly messages?: boolean
  /** Of everything; the provider's own, five minutes, unless given. */
  readonly ttl?: CacheTtl
  /** Of tools and system text, which outlive a conversation; `ttl` unless given. It cannot be the shorter one: the wire wants longer marks first. */
  readonly prefixTtl?: CacheTtl
}

/** The `cache_control` of each place, as JSON; `undefined` where there is none. */
export interface CacheMarkers {
  readonly tools: string | undefined
  readonly system: string | undefined
  readonly message: string | undefined
}

/** The most marks that a request may have. */
const MAX_MARKERS = 4
const NO_MARKERS: CacheMarkers = { tools: undefined, system: undefined, message: undefined }

/** Throws `ConfigError` for marks in an order that is refused. */
export function checkPromptCaching(caching: boolean | PromptCaching | undefined): void {
  if (typeof caching === 'object' && caching.ttl === '1h' && caching.prefixTtl === '5m') throw new ConfigError('promptCaching.prefixTtl cannot be shorter than ttl')
}

/**
 * The marks of one request, tools first: there are as many as are left beside `ownMarkers`, those that the caller has set on tools. When
 * the provider places one at the end of the conversation by itself (`isAutomatic`), that is not done here as well.
 */
export function cacheMarkers(
  caching: boolean | PromptCaching | undefined,
  { ownMarkers, isAutomatic }: { readonly ownMarkers: number; readonly isAutomatic: boolean },
): CacheMarkers {
  if (caching === undefined || caching === false) return NO_MARKERS
  const { tools = false, messages = true, ttl, prefixTtl = ttl } = caching === true ? {} : caching
  const left = MAX_MARKERS - ownMarkers - (isAutomatic ? 1 : 0)
  const taken = tools ? 1 : 0
  return {
    tools: tools && left > 0 ? marker(prefixTtl) : undefined,
    system: left > taken ? marker(prefixTtl) : undefined,
    message: messages && !isAutomatic && left > taken + 1 ? marker(ttl) : undefined,
  }
}

function marker(ttl: CacheTtl | undefined): string {
  return JSON.stringify({ type: 'ephemeral', ...(ttl === undefined ? {} : { ttl }) })
}
