import { type Endpoint, replaceParameters } from '@buildscale/protocol'

/** Where every endpoint lives. */
export const API_PREFIX = '/api/v1'

/** The endpoints that an app has registered: answers which methods a path has, for `405` and its `Allow`. */
export class RouteTable {
  readonly #routes: { readonly endpoint: Endpoint; readonly pattern: RegExp }[] = []

  add(endpoint: Endpoint): void {
    const pattern = new RegExp(`^${API_PREFIX}${replaceParameters(endpoint.path, () => '[^/]+')}$`)
    this.#routes.push({ endpoint, pattern })
  }

  /** The names of the registered endpoints. */
  names(): ReadonlySet<string> {
    return new Set(this.#routes.map(({ endpoint }) => endpoint.name))
  }

  /** The methods that `path` (without its query string) has; empty for an unknown path. */
  methodsOf(path: string): readonly string[] {
    const endpoints = this.#routes.filter(({ pattern }) => pattern.test(path)).map(({ endpoint }) => endpoint)
    const methods = endpoints.flatMap((endpoint) => (hasHead(endpoint) ? [endpoint.method, 'HEAD'] : [endpoint.method]))
    return [...new Set(methods)].sort()
  }
}

/** A stream of events has no `HEAD`: there is nothing to say about it without starting it. */
export function hasHead(endpoint: Endpoint): boolean {
  return endpoint.method === 'GET' && endpoint.responseKind !== 'events'
}
