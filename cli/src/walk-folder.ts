import ignore, { type Ignore } from 'ignore'
import type { Dirent } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What lies in a folder on disk; `path` is relative to the folder, with `/`. */
export type Found =
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'empty folder'; readonly path: string }
  /** `reason` is undefined when the person asked for it to be left out (`.gitignore`) or nobody wants it (`.git`): counted, not named one by one. */
  | { readonly type: 'skipped'; readonly path: string; readonly reason: string | undefined }

interface Rules {
  /** Where the `.gitignore` lies, with a closing `/`, or '' at the root. */
  readonly base: string
  readonly matcher: Ignore
}

/**
 * Everything below `root`, folder by folder, names in the order of their bytes. Links are never followed.
 * @param options `gitignore`: leave out what the `.gitignore` files of the tree say.
 */
export async function* walkFolder(root: string, options: { readonly gitignore: boolean }): AsyncGenerator<Found, void, undefined> {
  yield* walk({ root, gitignore: options.gitignore }, '', [])
}

async function* walk(tree: { readonly root: string; readonly gitignore: boolean }, base: string, outerRules: readonly Rules[]): AsyncGenerator<Found, void, undefined> {
  let entries: Dirent<Buffer>[]
  try {
    entries = await readdir(join(tree.root, base), { withFileTypes: true, encoding: 'buffer' })
  } catch (error) {
    yield { type: 'skipped', path: base, reason: `the folder cannot be read: ${error instanceof Error ? error.message : String(error)}` }
    return
  }
  if (entries.length === 0 && base !== '') yield { type: 'empty folder', path: base.slice(0, -1) }
  const rules = tree.gitignore ? await withRulesOf(join(tree.root, base), base, outerRules) : outerRules
  for (const entry of entries.sort((a, b) => a.name.compare(b.name))) {
    const found = classify(entry, { base, rules })
    if (found.type === 'folder') yield* walk(tree, `${found.path}/`, rules)
    else yield found
  }
}

/** What one entry is, by its kind and name alone. */
function classify(entry: Dirent<Buffer>, { base, rules }: { readonly base: string; readonly rules: readonly Rules[] }): Found | { readonly type: 'folder'; readonly path: string } {
  const name = entry.name.toString('utf8')
  const path = base + name
  if (!Buffer.from(name).equals(entry.name)) return { type: 'skipped', path, reason: 'its name is not UTF-8' }
  if (name === '.git') return { type: 'skipped', path, reason: undefined }
  if (isIgnored(entry.isDirectory() ? `${path}/` : path, rules)) return { type: 'skipped', path, reason: undefined }
  if (entry.isSymbolicLink()) return { type: 'skipped', path, reason: 'a symbolic link' }
  if (entry.isDirectory()) return { type: 'folder', path }
  return entry.isFile() ? { type: 'file', path } : { type: 'skipped', path, reason: 'a special file' }
}

/** Deeper files decide over those above them, as Git has it. */
function isIgnored(path: string, rules: readonly Rules[]): boolean {
  for (const { base, matcher } of rules.toReversed()) {
    const { ignored, unignored } = matcher.test(path.slice(base.length))
    if (ignored || unignored) return ignored
  }
  return false
}

async function withRulesOf(folder: string, base: string, outer: readonly Rules[]): Promise<readonly Rules[]> {
  try {
    const text = await readFile(join(folder, '.gitignore'), 'utf8')
    return [...outer, { base, matcher: ignore().add(text) }]
  } catch {
    return outer // none here, or one that cannot be read: the walk reports the latter as a file
  }
}
