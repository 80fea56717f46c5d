import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from '../errors.ts'

/** The strong tag of bytes with this hash: https://www.rfc-editor.org/rfc/rfc9110#name-etag */
export function entityTag(hash: string): string {
  return `"${hash}"`
}

/** What a list of tags in `If-Match` or `If-None-Match` asks for. */
export type TagCondition = { readonly type: 'any' } | { readonly type: 'tags'; readonly tags: readonly string[] }

/** Undefined without the header. Weak tags count as strong ones: ours are hashes of the bytes. Throws `invalid_request` for what is no list of tags. */
export function tagCondition(header: string | undefined, name: string): TagCondition | undefined {
  if (header === undefined) return undefined
  if (header.trim() === '*') return { type: 'any' }
  const tags = header.split(',').map((tag) => /^(?:W\/)?"([\x21\x23-\x7e]*)"$/.exec(tag.trim())?.[1])
  const known = tags.filter((tag) => tag !== undefined)
  if (known.length !== tags.length) throw new AppError('invalid_request', `The header ${name} must be * or a list of quoted tags, as ETag gives them.`)
  return { type: 'tags', tags: known }
}

/** Whether the condition names what is there; `hash` undefined: nothing is. */
export function matchesTag(condition: TagCondition, hash: string | undefined): boolean {
  if (hash === undefined) return false
  return condition.type === 'any' || condition.tags.includes(hash)
}

/** What a write or delete demands of the file that is there. */
export interface Preconditions {
  readonly ifMatch: TagCondition | undefined
  readonly ifNoneMatch: TagCondition | undefined
}

export function preconditionsOf(headers: IncomingHttpHeaders): Preconditions {
  return { ifMatch: tagCondition(headers['if-match'], 'If-Match'), ifNoneMatch: tagCondition(headers['if-none-match'], 'If-None-Match') }
}

/** Throws `version_mismatch` when the file is not what the client thinks. `hash`: of the file that is there, empty for a folder, undefined for nothing. */
export function checkPreconditions({ ifMatch, ifNoneMatch }: Preconditions, hash: string | undefined): void {
  const details = { current_hash: hash === undefined || hash === '' ? null : hash }
  if (ifMatch !== undefined && !matchesTag(ifMatch, hash)) {
    throw new AppError('version_mismatch', 'The file is not the one named by If-Match: it changed or is gone. Read it again.', { details })
  }
  if (ifNoneMatch !== undefined && matchesTag(ifNoneMatch, hash)) {
    throw new AppError('version_mismatch', 'The file exists, and If-None-Match asked for it not to.', { details })
  }
}
