/** Where memories are: `/memories/<category>/<key>.md` for everybody, `/users/<user id>/memories/<category>/<key>.md` for one person. */
import { AppError } from '../../errors.ts'
import { isInside, parsePath } from '../files/file-path.ts'

export const MEMORY_SCOPES = ['user', 'global'] as const
export type MemoryScope = (typeof MEMORY_SCOPES)[number]

export interface MemoryName {
  readonly scope: MemoryScope
  readonly category: string
  readonly key: string
}

const ENDING = '.md'

export function memoryFolder(scope: MemoryScope, userId: string): string {
  return scope === 'user' ? `/users/${userId}/memories` : '/memories'
}

/** The file of a memory. Category and key become names that differ exactly when they do; a key may be written with its ending. Throws `invalid_request` for what no name can be. */
export function memoryPath({ scope, category, key }: MemoryName, userId: string): string {
  const bare = key.trim().endsWith(ENDING) ? key.trim().slice(0, -ENDING.length) : key
  return parsePath(`${memoryFolder(scope, userId)}/${encodeName(category, 'category')}/${encodeName(bare, 'key')}${ENDING}`)
}

/** Which memory a file is; undefined for other files. */
export function memoryName(path: string, { scope, userId }: { readonly scope: MemoryScope; readonly userId: string }): MemoryName | undefined {
  const folder = memoryFolder(scope, userId)
  const [category, name, ...deeper] = isInside(path, folder) ? path.slice(folder.length + 1).split('/') : []
  if (category === undefined || name === undefined || deeper.length > 0 || !name.endsWith(ENDING)) return undefined
  return { scope, category: decodeName(category), key: decodeName(name.slice(0, -ENDING.length)) }
}

/** What a path cannot hold, a dot at the start (the name would be hidden, or lead elsewhere), and the sign of this encoding itself. */
const UNFIT = /[/\\%\p{Cc}]|^\./gu

/** `c++` and `Ünï` stay as they are; `a/b` becomes `a%2Fb`. */
function encodeName(text: string, argument: string): string {
  const name = text.trim().normalize('NFC')
  if (name === '') throw new AppError('invalid_request', `${argument} is empty. Give a short name, such as "preferences".`)
  if (!name.isWellFormed()) throw new AppError('invalid_request', `${argument} is not valid Unicode.`)
  return name.replace(UNFIT, (character) => [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''))
}

/** The name as it was given. A file that was named by hand may not be such an encoding: then its name is what it is. */
function decodeName(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
