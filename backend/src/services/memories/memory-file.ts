/** What a memory file says: front matter with title and tags, then the text. Pure. */
import { z } from 'zod'
import { type FrontMatterError, joinFrontMatter, setFrontMatter, splitFrontMatter } from '../files/front-matter.ts'
import type { MemoryName } from './memory-path.ts'

export interface Memory {
  readonly title: string
  readonly tags: readonly string[]
  /** As the file says; null when it does not. */
  readonly createdAt: string | null
  readonly updatedAt: string | null
  readonly body: string
}

const frontMatter = z.looseObject({
  title: z.string({ error: '"title" must be text.' }).optional(),
  tags: z.array(z.string({ error: 'Each of the "tags" must be text.' }), { error: '"tags" must be a list.' }).nullish(),
  created_at: z.string({ error: '"created_at" must be a time.' }).optional(),
  updated_at: z.string({ error: '"updated_at" must be a time.' }).optional(),
}, { error: 'The front matter is not a list of keys and values.' })

/** The memory in `text`, or where it is broken. A file without front matter is called by its key. */
export function parseMemory(text: string, key: string): Memory | { readonly error: FrontMatterError } {
  const split = splitFrontMatter(text)
  if ('error' in split) return split
  const head = frontMatter.safeParse(split.data ?? {})
  if (!head.success) {
    const [issue] = head.error.issues
    return { error: { ...split.at(issue?.path ?? []), message: issue?.message ?? 'The front matter is not valid.' } }
  }
  const { title, tags, created_at: createdAt, updated_at: updatedAt } = head.data
  return { title: title ?? key, tags: tags ?? [], createdAt: createdAt ?? null, updatedAt: updatedAt ?? null, body: split.body }
}

export interface MemoryContent {
  readonly title: string
  /** Undefined: as they are. */
  readonly tags: readonly string[] | undefined
  readonly body: string
}

/** The text of a memory that is set. `before`: what the file says now; its time of making and its other keys stay. The same text when nothing is new. */
export function memoryText(before: string | undefined, { name, content, now }: { readonly name: MemoryName; readonly content: MemoryContent; readonly now: string }): string {
  const known = before === undefined ? undefined : parseMemory(before, name.key)
  const old = known === undefined || 'error' in known ? undefined : known
  const { title, body } = content
  const tags = content.tags ?? old?.tags ?? []
  if (before !== undefined && old !== undefined && old.title === title && old.body === body && old.tags.join('\n') === tags.join('\n')) return before
  const set = { title, category: name.category, scope: name.scope, tags, created_at: old?.createdAt ?? now, updated_at: now }
  // What is broken is replaced whole: nothing in it can be kept.
  const changed = before === undefined || old === undefined ? joinFrontMatter(set, body) : setFrontMatter(before, { set, body })
  return typeof changed === 'string' ? changed : joinFrontMatter(set, body)
}

/** Tags as they are stored: trimmed, each once. */
export function cleanTags(tags: readonly string[]): readonly string[] {
  return [...new Set(tags.map((tag) => tag.trim()).filter((tag) => tag !== ''))]
}

/** Whether a memory has all of `wanted`; upper and lower case are the same. */
export function hasTags(tags: readonly string[], wanted: readonly string[]): boolean {
  const known = new Set(tags.map((tag) => tag.toLowerCase()))
  return wanted.every((tag) => known.has(tag.trim().toLowerCase()))
}
