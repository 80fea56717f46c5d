/** The arguments by which the memory tools name memories. */
import { MEMORY_SCOPES } from '../services/memories/memory-path.ts'
import { choice, optionalChoice, optionalText, optionalTextList, shortText } from './tool-arguments.ts'

export const MOST_TAGS = 50

export const MEMORY_NAME = {
  scope: choice(MEMORY_SCOPES, 'Whose it is: "user" for the person you work for, "global" for everybody in the workspace.'),
  category: shortText('A group of memories, such as "preferences".'),
  key: shortText('The name within its category, such as "code-style".'),
} as const

export const MEMORY_FILTER = {
  scope: optionalChoice(MEMORY_SCOPES, 'Only "user" (of the person you work for) or only "global" memories. Default: both.'),
  category: optionalText('Only memories of this category.'),
  tags: optionalTextList('Only memories that have all of these tags.', { max: MOST_TAGS }),
} as const
