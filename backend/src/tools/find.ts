import { FILE_TYPES } from '@buildscale/protocol'
import { AppError } from '../errors.ts'
import { parsePath } from '../services/files/file-path.ts'
import { findFilesBy } from '../services/search/find-files.ts'
import { requireEntry } from './find-entry.ts'
import { fittingItems } from './result-limit.ts'
import { searchNotice } from './search-text.ts'
import { defineReadTool } from './tool.ts'
import { flag, limit, optionalChoice, optionalInteger, optionalText, toolArguments } from './tool-arguments.ts'

const DEFAULT_LIMIT = 50
/** More than fit into one result, so that `limit: 0` ends. */
const MOST_ENTRIES = 20_000

export const findTool = defineReadTool({
  name: 'find',
  description: 'Find files and folders by name, type, size and time of change. All that is given must hold. For words in files use search or grep.',
  arguments: toolArguments({
    name: optionalText('A pattern for the name: *, ?, [a-z], {a,b}; for example "*.md". Upper and lower case differ.'),
    path: optionalText('The folder to look in. Default "/".'),
    file_type: optionalChoice(['file', ...FILE_TYPES], 'Only this type; "file" is anything but a folder.'),
    min_size: optionalInteger('Only files of at least so many bytes.', { min: 0 }),
    max_size: optionalInteger('Only files of at most so many bytes.', { min: 0 }),
    modified_since: optionalText('Only what changed at or after this time: 2026-01-31, 2026-01-31T12:00:00Z, or how long ago: 30m, 12h, 7d.'),
    recursive: flag('Also look in the folders below.', true),
    limit: limit('entries', DEFAULT_LIMIT),
  }),
  async run({ path: asked, limit: most, file_type: type, min_size: minSize, max_size: maxSize, modified_since: modifiedSince, ...args }, context) {
    const path = parsePath(asked ?? '/')
    const folder = await requireEntry(context, path)
    if (folder.file_type !== 'folder') throw new AppError('conflict', `"${path}" is a file, not a folder. Give the folder to look in.`)
    const count = most === 0 ? MOST_ENTRIES : Math.min(most, MOST_ENTRIES)
    const place = { id: path === '/' ? null : folder.id, path }
    const found = await context.conn.run((conn) => findFilesBy(conn, { workspaceId: context.workspaceId, folder: place, type, minSize, maxSize, modifiedSince, ...args, limit: count + 1 }))
    const wanted = found.slice(0, count).map(({ fileType, updatedAt, ...entry }) => ({ ...entry, file_type: fileType, updated_at: updatedAt.toISOString() }))
    const matches = fittingItems(wanted)
    const cutBy = matches.length < wanted.length ? 'size' : found.length > count ? 'limit' : null
    const notice = searchNotice({ cutBy, isCurrent: true, shown: `${matches.length} entries`, more: 'Say more about what you look for, give a folder as path, or a higher limit.' })
    return { path, matches, truncated: cutBy !== null, notice }
  },
})
