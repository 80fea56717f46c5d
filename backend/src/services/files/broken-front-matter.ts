import { AppError } from '../../errors.ts'
import type { FrontMatterError } from './front-matter.ts'

/** For a tool that cannot go on without the front matter of a file. */
export function brokenFrontMatter(path: string, { line, column, message }: FrontMatterError): AppError {
  return new AppError('unprocessable', `The front matter of "${path}" is broken at line ${line}, column ${column}: ${message} Mend it with edit; read shows the whole file.`)
}
