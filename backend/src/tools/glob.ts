import { AppError } from '../errors.ts'
import { parsePath } from '../services/files/file-path.ts'
import { globMatcher } from '../services/search/disk/glob-pattern.ts'
import { requireEntry } from './find-entry.ts'
import { fittingItems } from './result-limit.ts'
import { searchNotice } from './search-text.ts'
import { defineReadTool } from './tool.ts'
import { flag, limit, optionalText, shortText, toolArguments } from './tool-arguments.ts'

const DEFAULT_LIMIT = 50
/** More files than fit into one result, so that `limit: 0` ends. */
const MOST_FILES = 20_000

export const globTool = defineReadTool({
  name: 'glob',
  description: 'Find files by name or path pattern, for example "*.md", "src/**/*.ts" or "**/{test,spec}/*". Folders are not found: use ls.',
  arguments: toolArguments({
    pattern: shortText('*, ?, [a-z], {a,b} within a name, ** for any folders. Without a "/" it matches names at any depth; otherwise it starts at path.'),
    path: optionalText('The folder to look in. Default "/".'),
    limit: limit('files', DEFAULT_LIMIT),
    include_ignored: flag('Also find files that .gitignore leaves out.'),
  }),
  async run({ pattern, path: asked, limit: most, include_ignored: includeIgnored }, context) {
    const path = parsePath(asked ?? '/')
    const accepts = globMatcher(pattern, path)
    const folder = await requireEntry(context, path)
    if (folder.file_type !== 'folder') throw new AppError('conflict', `"${path}" is a file, not a folder. Give the folder to look in.`)
    const { files, cutBy, isCurrent } = await context.search.glob(context, { folder: path, accepts, limit: most === 0 ? MOST_FILES : most, includeIgnored })
    const matches = fittingItems(files)
    const reason = matches.length < files.length ? 'size' : cutBy
    const notice = searchNotice({ cutBy: reason, isCurrent, shown: `${matches.length} files`, more: 'Use a narrower pattern, a folder as path, or a higher limit.' })
    return { pattern, path, matches, truncated: reason !== null, stale: !isCurrent, notice }
  },
})
