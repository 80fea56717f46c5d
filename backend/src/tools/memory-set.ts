import { AppError } from '../errors.ts'
import { cleanTags, memoryText, parseMemory } from '../services/memories/memory-file.ts'
import { memoryPath } from '../services/memories/memory-path.ts'
import { writeFile } from '../services/files/file-tree.ts'
import { findEntry } from './find-entry.ts'
import { utf8 } from './file-text.ts'
import { MEMORY_NAME, MOST_TAGS } from './memory-arguments.ts'
import { readText } from './read.ts'
import { defineWriteTool, type ToolContext } from './tool.ts'
import { longText, optionalTextList, shortText, toolArguments } from './tool-arguments.ts'

export const memorySetTool = defineWriteTool({
  name: 'memory_set',
  description:
    'Remember something for later conversations: what a person prefers, decided, or told about the project. Sets the memory of this scope, category and key, new or in place of what it was. Files below /memories are read by everybody in the workspace; keep secrets out of them.',
  arguments: toolArguments({
    ...MEMORY_NAME,
    title: shortText('What it is about, in one line.'),
    content: longText('What to remember, in Markdown.'),
    tags: optionalTextList(`Words to find it by, at most ${MOST_TAGS}. They take the place of earlier ones; left out, those stay.`, { max: MOST_TAGS }),
  }),
  async prepare({ scope, category, key, title: askedTitle, content, tags }, context) {
    const name = { scope, category: category.trim(), key: key.trim() }
    const title = askedTitle.trim()
    if (title === '' || /[\r\n]/.test(title)) throw new AppError('invalid_request', 'title: give one line of text that says what the memory is about.')
    if (content.trim() === '') throw new AppError('invalid_request', 'content is empty. Give what to remember; memory_delete forgets.')
    const path = memoryPath(name, context.userId)
    const before = await currentText(path, context)
    const text = memoryText(before?.text, { name, content: { title, body: content, tags: tags && cleanTags(tags) }, now: new Date().toISOString() })
    const stored = parseMemory(text, key)
    return { name, path, title, tags: 'error' in stored ? [] : stored.tags, content: utf8(text, 'The memory'), ifHash: before?.hash }
  },
  async apply({ name, path, title, tags, content, ifHash }, set) {
    const guard = ifHash === undefined ? { mustNotExist: true } : { ifHash }
    const { file, version, created, unchanged } = await writeFile(set, { path, content, fileType: 'memory', ...guard })
    return { path: file.path, file_id: file.id, version: version.number, hash: version.hash, ...name, title, tags, created, unchanged }
  },
})

async function currentText(path: string, context: ToolContext): Promise<{ readonly text: string; readonly hash: string } | undefined> {
  if ((await findEntry(context, path)) === undefined) return undefined
  const { file, text } = await readText(path, context)
  return { text, hash: file.hash }
}
