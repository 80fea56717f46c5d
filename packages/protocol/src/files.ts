import { z } from 'zod'
import { definitionFaults } from './agents.ts'
import { endpoint } from './endpoint.ts'
import { empty, id, nothing, page, paging, path, queryFlag, queryInteger, time } from './shared.ts'
import { workspaceParams } from './workspaces.ts'

export const FILE_TYPES = ['folder', 'document', 'plan', 'memory', 'chat'] as const
export type FileType = (typeof FILE_TYPES)[number]
export const AUTHOR_KINDS = ['user', 'agent', 'disk', 'system'] as const
export type AuthorKind = (typeof AUTHOR_KINDS)[number]
export const CHANGE_KINDS = ['created', 'updated', 'moved', 'deleted', 'restored', 'purged'] as const
export type ChangeKind = (typeof CHANGE_KINDS)[number]

/** A file or folder as lists show it. Of a folder, size, version, hash and mime are null. */
export const fileEntry = z.object({
  id,
  path: z.string(),
  name: z.string(),
  file_type: z.enum(FILE_TYPES),
  size: z.number().int().nullable(),
  version: z.number().int().nullable(),
  hash: z.string().nullable(),
  mime: z.string().nullable(),
  updated_at: time,
})
export type FileEntry = z.output<typeof fileEntry>

export const fileVersion = z.object({
  number: z.number().int(),
  hash: z.string(),
  size: z.number().int(),
  mime: z.string(),
  author: z.object({ kind: z.enum(AUTHOR_KINDS), id: id.nullable() }),
  turn_id: id.nullable(),
  tool_call_id: id.nullable(),
  created_at: time,
})
export type FileVersion = z.output<typeof fileVersion>

/** One row of the workspace journal. `path` is where the file is after the change, or was before it was deleted. */
export const change = z.object({
  seq: z.number().int(),
  kind: z.enum(CHANGE_KINDS),
  file_id: id,
  file_type: z.enum(FILE_TYPES),
  path: z.string(),
  from_path: z.string().nullable(),
  version: z.number().int().nullable(),
  change_set_id: id,
  author: z.object({ kind: z.enum(AUTHOR_KINDS), id: id.nullable() }),
  turn_id: id.nullable(),
  tool_call_id: id.nullable(),
  at: time,
})
export type Change = z.output<typeof change>

const base = { access: 'workspace', params: workspaceParams, query: nothing, body: nothing, bodyKind: 'none', responseKind: 'json', status: 200 } as const
const fileResponse = z.object({ file: fileEntry })

export const listFiles = endpoint({
  ...base,
  name: 'listFiles',
  summary: 'The entries of a folder, folders first; of a file, that one entry.',
  method: 'GET',
  path: '/workspaces/:w/files',
  query: z.strictObject({ path: path.default('/'), recursive: queryFlag.default(false), ...paging }),
  response: page(fileEntry),
})

export const getFileContent = endpoint({
  ...base,
  name: 'getFileContent',
  summary: 'The bytes of a file, or of one of its versions; ETag and ranges.',
  method: 'GET',
  path: '/workspaces/:w/files/content',
  query: z.strictObject({ path, version: queryInteger.pipe(z.number().min(1)).optional() }),
  response: z.instanceof(Uint8Array),
  responseKind: 'bytes',
})

export const putFileContent = endpoint({
  ...base,
  name: 'putFileContent',
  summary: 'Store the body as the file’s new version; creates parents. 201 when the file is new.',
  method: 'PUT',
  path: '/workspaces/:w/files/content',
  query: z.strictObject({ path }),
  body: z.instanceof(Uint8Array),
  bodyKind: 'bytes',
  // Of a file that defines an agent or a skill: what is wrong with it. It is stored all the same.
  response: z.object({ file: fileEntry, version: fileVersion, unchanged: z.boolean(), definition: definitionFaults.optional() }),
})

export const createFolder = endpoint({
  ...base,
  name: 'createFolder',
  summary: 'Create a folder with its parents; an existing folder is fine.',
  method: 'POST',
  path: '/workspaces/:w/files/folder',
  body: z.strictObject({ path }),
  bodyKind: 'json',
  response: fileResponse,
})

export const moveFile = endpoint({
  ...base,
  name: 'moveFile',
  summary: 'Move or rename a file, or a folder with its content.',
  method: 'POST',
  path: '/workspaces/:w/files/move',
  body: z.strictObject({ from: path, to: path }),
  bodyKind: 'json',
  response: fileResponse,
})

export const deleteFile = endpoint({
  ...base,
  name: 'deleteFile',
  summary: 'Move a file, or a folder with its content, to the trash.',
  method: 'DELETE',
  path: '/workspaces/:w/files',
  query: z.strictObject({ path }),
  response: empty,
  responseKind: 'empty',
  status: 204,
})

export const listFileVersions = endpoint({
  ...base,
  name: 'listFileVersions',
  summary: 'The versions of a file, newest first.',
  method: 'GET',
  path: '/workspaces/:w/files/versions',
  query: z.strictObject({ path, ...paging }),
  response: page(fileVersion),
})

export const restoreFile = endpoint({
  ...base,
  name: 'restoreFile',
  summary: 'A new version with the bytes of an old one.',
  method: 'POST',
  path: '/workspaces/:w/files/restore',
  body: z.strictObject({ path, version: z.number().int().min(1) }),
  bodyKind: 'json',
  response: fileResponse,
})

export const toolEntry = z.object({
  name: z.string(),
  description: z.string(),
  effect: z.enum(['read', 'write', 'external']),
  parameters: z.record(z.string(), z.unknown()),
})

export const listTools = endpoint({
  ...base,
  name: 'listTools',
  summary: 'The core tools, with the JSON Schema of their arguments.',
  method: 'GET',
  path: '/workspaces/:w/tools',
  response: z.object({ items: z.array(toolEntry), next_cursor: z.null() }),
})

export const runTool = endpoint({
  ...base,
  name: 'runTool',
  summary: 'Run a core tool by hand; the answer is what a model would read.',
  method: 'POST',
  path: '/workspaces/:w/tools/:name',
  params: z.strictObject({ w: id, name: z.string().max(100) }),
  body: z.strictObject({ args: z.unknown() }),
  bodyKind: 'json',
  response: z.discriminatedUnion('ok', [
    z.object({ ok: z.literal(true), output: z.unknown() }),
    z.object({ ok: z.literal(false), error: z.object({ code: z.string(), message: z.string() }) }),
  ]),
})
