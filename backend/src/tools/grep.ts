import { AppError } from '../errors.ts'
import { parsePath } from '../services/files/file-path.ts'
import { globBase, globMatcher, isGlob, type PathMatcher } from '../services/search/disk/glob-pattern.ts'
import type { GrepResult } from '../services/search/disk/disk-search.ts'
import { findEntry, requireEntry } from './find-entry.ts'
import { CONTENT_LIMIT_BYTES } from './result-limit.ts'
import { searchNotice } from './search-text.ts'
import { defineReadTool, type ToolContext } from './tool.ts'
import { flag, limit, optionalInteger, optionalText, shortText, toolArguments } from './tool-arguments.ts'

const DEFAULT_LIMIT = 50
const MOST_CONTEXT = 100

export const grepTool = defineReadTool({
  name: 'grep',
  description: 'Search the text of files, line by line, with a regular expression (ripgrep). Hidden files are searched; .git and what .gitignore names are not.',
  arguments: toolArguments({
    pattern: shortText('The regular expression; \\ before . ( ) [ ] { } + * ? ^ $ | \\ for the character itself.'),
    path_pattern: optionalText('Where to search: a file, a folder, or a pattern such as "*.ts" or "src/**/*.md". Default: everywhere.'),
    case_sensitive: flag('Tell upper and lower case apart.'),
    context: optionalInteger('Also show this many lines before and after each match.', { min: 0 }),
    before_context: optionalInteger('Lines before each match, when different from context.', { min: 0 }),
    after_context: optionalInteger('Lines after each match, when different from context.', { min: 0 }),
    limit: limit('matches', DEFAULT_LIMIT),
    include_ignored: flag('Also search files that .gitignore leaves out.'),
  }),
  async run({ pattern, path_pattern: pathPattern, limit: most, ...args }, context) {
    checkPattern(pattern)
    const place = await searchPlace(pathPattern, context)
    if (place === undefined) return grepOutput({ matches: [], cutBy: null, isCurrent: true, skippedLines: 0 })
    const context_ = args.context ?? 0
    const result = await context.search.grep(context, {
      ...place,
      pattern,
      caseSensitive: args.case_sensitive,
      before: Math.min(args.before_context ?? context_, MOST_CONTEXT),
      after: Math.min(args.after_context ?? context_, MOST_CONTEXT),
      limit: most === 0 ? Infinity : most,
      sizeLimit: CONTENT_LIMIT_BYTES,
      includeIgnored: args.include_ignored,
    })
    return grepOutput(result)
  },
})

function checkPattern(pattern: string): void {
  if (pattern === '') throw new AppError('invalid_request', 'The pattern is empty, which every line matches. Give text or a regular expression to look for.')
  if (pattern.includes('\0')) throw new AppError('invalid_request', 'The pattern contains a NUL character. To look for one write \\x00.')
  if (!pattern.isWellFormed()) throw new AppError('invalid_request', 'The pattern is not valid Unicode: it holds half of a surrogate pair.')
}

interface SearchPlace {
  readonly at: { readonly path: string; readonly isFolder: boolean }
  readonly accepts: PathMatcher
}

/**
 * A file or folder that is there by this very name (brackets and all) is meant as it stands; everything else is a pattern.
 * Undefined when the folder that the pattern names does not exist, so that nothing can match.
 */
async function searchPlace(pathPattern: string | undefined, context: ToolContext): Promise<SearchPlace | undefined> {
  if (pathPattern === undefined || pathPattern.trim() === '') return { at: { path: '/', isFolder: true }, accepts: () => true }
  const isPattern = isGlob(pathPattern)
  // A backslash belongs in a pattern but never in a path.
  const path = isPattern && pathPattern.includes('\\') ? undefined : parsePath(pathPattern)
  const entry = path === undefined ? undefined : await findEntry(context, path)
  if (entry !== undefined) return { at: { path: entry.path, isFolder: entry.file_type === 'folder' }, accepts: () => true }
  // A path with folders in it that is not there is a mistake worth a word; a bare name may be anywhere.
  if (!isPattern && path !== undefined && path.lastIndexOf('/') > 0) await requireEntry(context, path)
  const accepts = globMatcher(pathPattern)
  const base = await findEntry(context, parsePath(globBase(pathPattern)))
  return base?.file_type === 'folder' ? { at: { path: base.path, isFolder: true }, accepts } : undefined
}

function grepOutput({ matches, cutBy, isCurrent, skippedLines }: GrepResult) {
  const more = 'Use a narrower pattern, a path_pattern, or a higher limit.'
  const notice = searchNotice({ cutBy, isCurrent, shown: `${matches.length} matches`, more })
  const skipped = skippedLines === 0 ? null : `${skippedLines} matches were left out, because their lines are megabytes long.`
  const text = [notice, skipped].filter((part) => part !== null).join(' ')
  return { matches, truncated: cutBy !== null || skippedLines > 0, stale: !isCurrent, notice: text === '' ? null : text }
}
