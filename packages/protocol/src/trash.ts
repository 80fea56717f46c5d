/** What becomes of files beside their content: copies, the trash, tags. */
import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { fileEntry } from './files.ts'
import { empty, id, nothing, page, paging, path, time } from './shared.ts'
import { workspaceParams } from './workspaces.ts'

const base = { access: 'workspace', params: workspaceParams, query: nothing, body: nothing, bodyKind: 'none', responseKind: 'json', status: 200 } as const
const trashParams = z.strictObject({ w: id, fileId: id })

export const copyFile = endpoint({
  ...base,
  name: 'copyFile',
  summary: 'Copy a file, or a folder with its content; the copies begin at version 1.',
  method: 'POST',
  path: '/workspaces/:w/files/copy',
  body: z.strictObject({ from: path, to: path }),
  bodyKind: 'json',
  response: z.object({ file: fileEntry }),
})

/** A file or folder as it was when it was removed: `path` is where it was. Of a folder, what was removed with it is not listed by itself. */
export const trashEntry = fileEntry.extend({ deleted_at: time })
export type TrashEntry = z.output<typeof trashEntry>

export const listTrash = endpoint({
  ...base,
  name: 'listTrash',
  summary: 'What was removed, the latest first; a folder stands for what was removed with it.',
  method: 'GET',
  path: '/workspaces/:w/trash',
  query: z.strictObject(paging),
  response: page(trashEntry),
})

export const restoreTrash = endpoint({
  ...base,
  name: 'restoreTrash',
  summary: 'Put a file back, or a folder with what was removed with it: where it was, or at `to`.',
  method: 'POST',
  path: '/workspaces/:w/trash/:fileId/restore',
  params: trashParams,
  body: z.strictObject({ to: path.optional() }),
  bodyKind: 'json',
  response: z.object({ file: fileEntry }),
})

export const purgeTrash = endpoint({
  ...base,
  name: 'purgeTrash',
  summary: 'Remove a file in the trash for good, with every version; admins only.',
  method: 'DELETE',
  path: '/workspaces/:w/trash/:fileId',
  params: trashParams,
  response: empty,
  responseKind: 'empty',
  status: 204,
})

export const emptyTrash = endpoint({
  ...base,
  name: 'emptyTrash',
  summary: 'Remove everything in the trash for good; admins only.',
  method: 'DELETE',
  path: '/workspaces/:w/trash',
  response: empty,
  responseKind: 'empty',
  status: 204,
})

/** At most this many tags a file. */
export const MAX_TAGS = 50
/** Compared without case: `Draft` and `draft` are one tag. */
export const tag = z
  .string()
  .trim()
  .min(1)
  .max(50)
  .regex(/^[^\p{Cc}]+$/u, 'must not hold control characters')
  .transform((text) => text.normalize('NFC').toLowerCase())

const tagsOfFile = z.object({ path: z.string(), tags: z.array(z.string()) })

export const getFileTags = endpoint({
  ...base,
  name: 'getFileTags',
  summary: 'The tags of a file or folder, in order.',
  method: 'GET',
  path: '/workspaces/:w/files/tags',
  query: z.strictObject({ path }),
  response: tagsOfFile,
})

export const putFileTags = endpoint({
  ...base,
  name: 'putFileTags',
  summary: 'Give a file or folder these tags instead of those it has.',
  method: 'PUT',
  path: '/workspaces/:w/files/tags',
  query: z.strictObject({ path }),
  body: z.strictObject({ tags: z.array(tag).max(MAX_TAGS) }),
  bodyKind: 'json',
  response: tagsOfFile,
})

export const listTags = endpoint({
  ...base,
  name: 'listTags',
  summary: 'The tags of a workspace with the number of files that have each.',
  method: 'GET',
  path: '/workspaces/:w/tags',
  query: z.strictObject(paging),
  response: page(z.object({ tag: z.string(), files: z.number().int() })),
})

export const listTagged = endpoint({
  ...base,
  name: 'listTagged',
  summary: 'The files and folders that have a tag, by path.',
  method: 'GET',
  path: '/workspaces/:w/tags/:tag',
  params: z.strictObject({ w: id, tag }),
  query: z.strictObject(paging),
  response: page(fileEntry),
})
