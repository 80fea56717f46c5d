/** Reads unified diffs, as git, diff and models write them. Pure: says what a patch wants, not whether it fits. */
import { AppError } from '../errors.ts'
import { unquoted } from './quoted-path.ts'

export interface PatchLine {
  readonly kind: 'keep' | 'remove' | 'add'
  readonly text: string
}

export interface PatchHunk {
  /** From 1, within its file. */
  readonly number: number
  /** The first old line, from 1; undefined when the patch does not say. Of a hunk without old lines: the line behind which it adds. */
  readonly oldStart: number | undefined
  readonly lines: readonly PatchLine[]
  /** The last old line, or new line, has no line break: `\ No newline at end of file`. */
  readonly oldEndsOpen: boolean
  readonly newEndsOpen: boolean
}

/** What a patch does with one file; paths as written, without `a/` and `b/`. Null: not there before, or not afterwards. */
export interface FilePatch {
  readonly from: string | null
  readonly to: string | null
  readonly hunks: readonly PatchHunk[]
}

/** With line numbers, or without: models leave them out, or write the name of a function there. */
const HUNK = /^@@(?: -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@.*|.*)$/
const EXAMPLE = 'A patch looks like this:\n--- a/src/x.ts\n+++ b/src/x.ts\n@@ -1,2 +1,2 @@\n line that stays\n-old line\n+new line'

/** Throws `invalid_request` with the line of the patch that is wrong. */
export function parsePatch(text: string): readonly FilePatch[] {
  const reader = new PatchReader(text)
  const files: FilePatch[] = []
  for (let file = reader.nextFile(); file !== undefined; file = reader.nextFile()) files.push(file)
  if (files.length === 0) throw new AppError('invalid_request', `There is no file in this patch. ${EXAMPLE}`)
  return files
}

interface Header {
  /** There is a line `diff --git`; its paths, when they are one. */
  isGit: boolean
  git: readonly [from: string, to: string] | undefined
  from: string | null | undefined
  to: string | null | undefined
  /** The `+++` line has been read: now hunks must come. */
  isNamed: boolean
  isRename: boolean
  isNew: boolean
  isDeleted: boolean
}

class PatchReader {
  readonly #lines: readonly string[]
  #at = 0
  #isFirst = true

  constructor(text: string) {
    const lines = text.split('\n')
    // A patch that was written on Windows: every line ends with CR. Single ones belong to the file.
    const isCrlf = lines.length > 1 && lines.slice(0, -1).every((line) => line.endsWith('\r'))
    this.#lines = isCrlf ? lines.map((line) => line.replace(/\r$/, '')) : lines
  }

  nextFile(): FilePatch | undefined {
    const header = this.#header()
    if (header === undefined) return undefined
    const hunks: PatchHunk[] = []
    while (this.#line()?.startsWith('@@') === true) hunks.push(this.#hunk(hunks.length + 1))
    this.#isFirst = false
    return this.#file(header, hunks)
  }

  #line(offset = 0): string | undefined {
    return this.#lines[this.#at + offset]
  }

  /** Everything up to the first hunk of the next file. Prose between files is passed over, as git does. */
  #header(): Header | undefined {
    const header: Header = { isGit: false, git: undefined, from: undefined, to: undefined, isNamed: false, isRename: false, isNew: false, isDeleted: false }
    for (let line = this.#line(); line !== undefined; line = this.#line()) {
      const isKnown = header.isGit || header.from !== undefined
      if (isKnown && (line.startsWith('@@') || line.startsWith('diff --git ') || (header.isNamed && this.#isFileStart()))) return header
      this.#checkStray(line, header)
      this.#readHeader(header, line)
      this.#at++
    }
    return header.isGit || header.from !== undefined ? header : undefined
  }

  /** Nothing of a patch is passed over that could be a change. */
  #checkStray(line: string, { isGit, from, isNamed }: Header): void {
    if (isNamed && line.trim() !== '') throw this.#fault('Here a hunk must begin ("@@ -1,3 +1,4 @@").')
    if (isGit || from !== undefined || this.#isFileStart()) return
    if (line.startsWith('@@')) throw this.#fault('A hunk stands before any file: begin with "--- a/path" and "+++ b/path".')
    if (/^[-+]/.test(line) && !this.#isFirst && !isSignature(line)) throw this.#fault('This line belongs to no hunk: begin it with "@@ -1,3 +1,4 @@".')
  }

  #isFileStart(): boolean {
    return this.#line()?.startsWith('--- ') === true && this.#line(1)?.startsWith('+++ ') === true
  }

  #readHeader(header: Header, line: string): void {
    if (/^(GIT binary patch|Binary files .* differ)/.test(line)) throw this.#fault('Binary files cannot be patched. Leave them out.')
    if (line.startsWith('*** ')) throw this.#fault(`This is no unified diff. ${EXAMPLE}`)
    if (line.startsWith('copy from ')) throw this.#fault('A patch cannot copy files. Give the new file whole, with --- /dev/null.')
    if (line.startsWith('diff --git ')) Object.assign(header, { isGit: true, git: gitPaths(line.slice('diff --git '.length)) })
    else if (this.#isFileStart()) header.from = header.isRename ? header.from : headerPath(line.slice(4))
    else if (line.startsWith('+++ ') && header.from !== undefined) Object.assign(header, { to: header.isRename ? header.to : headerPath(line.slice(4)), isNamed: true })
    else if (!header.isGit) return
    else if (line.startsWith('rename from ')) Object.assign(header, { from: unquoted(line.slice('rename from '.length)), isRename: true })
    else if (line.startsWith('rename to ')) header.to = unquoted(line.slice('rename to '.length))
    else if (line.startsWith('new file mode')) header.isNew = true
    else if (line.startsWith('deleted file mode')) header.isDeleted = true
  }

  #hunk(number: number): PatchHunk {
    const [, oldStart, oldCount = '1', , newCount = '1'] = HUNK.exec(this.#line() ?? '') ?? []
    const counts = oldStart === undefined ? undefined : { old: Number(oldCount), new: Number(newCount) }
    const start = this.#at
    this.#at++
    const lines: PatchLine[] = []
    const left = counts && { ...counts }
    let [oldEndsOpen, newEndsOpen] = [false, false]
    for (let line = this.#line(); line !== undefined; line = this.#line()) {
      if (line.startsWith('\\')) {
        const kind = lines.at(-1)?.kind
        if (kind !== 'add') oldEndsOpen = true
        if (kind !== 'remove') newEndsOpen = true
      } else {
        const read = patchLine(line)
        if (read === undefined || this.#isHunkEnd(line, left)) break
        lines.push(read)
        if (left !== undefined && read.kind !== 'add') left.old--
        if (left !== undefined && read.kind !== 'remove') left.new--
      }
      this.#at++
    }
    const kept = left?.old === 0 ? lines : withoutTrailingBlank(lines)
    if (!kept.some((line) => line.kind !== 'keep')) throw this.#fault('This hunk changes nothing: it has no line that begins with "-" or "+".', start)
    return { number, oldStart: oldStart === undefined ? undefined : Number(oldStart), lines: kept, oldEndsOpen, newEndsOpen }
  }

  /** The counts of a hunk are often wrong, so they only decide what could be read either way: a line `--- x` may be a removed `-- x`, an empty one may be behind the hunk. */
  #isHunkEnd(line: string, left: Counts | undefined): boolean {
    const isShort = left !== undefined && (left.old > 0 || left.new > 0)
    if (this.#isFileStart()) return !isShort || (this.#line(2)?.startsWith('@@') === true && !(left.old === 1 && left.new === 1))
    if (isShort) return false
    return line === '' ? !this.#hasMoreBehindBlank() : left !== undefined && isSignature(line)
  }

  #hasMoreBehindBlank(): boolean {
    let offset = 0
    while (this.#line(offset) === '') offset++
    return /^[-+ ]/.test(this.#line(offset) ?? '') && !isSignature(this.#line(offset) ?? '') && !(this.#line(offset)?.startsWith('--- ') === true && this.#line(offset + 1)?.startsWith('+++ ') === true)
  }

  #file({ git, from, to, isRename, isNew, isDeleted }: Header, hunks: readonly PatchHunk[]): FilePatch {
    const [gitFrom, gitTo] = git ?? []
    const hasPrefix = !isRename && isPrefixed(from, 'a/') && isPrefixed(to, 'b/')
    const old = isRename || from === undefined || from === null ? from : hasPrefix ? from.slice(2) : from
    const fresh = isRename || to === undefined || to === null ? to : hasPrefix ? to.slice(2) : to
    const file = { from: isNew ? null : old === undefined ? (gitFrom ?? null) : old, to: isDeleted ? null : fresh === undefined ? (gitTo ?? null) : fresh, hunks }
    if (file.from === null && file.to === null) throw this.#fault('A file of this patch has neither an old nor a new path.')
    if (hunks.length === 0 && file.from === file.to) throw this.#fault(`There is no change for "${file.to ?? ''}": a file needs hunks ("@@ … @@"), unless it is renamed, deleted or new and empty.`)
    return file
  }

  #fault(message: string, at = this.#at): AppError {
    return new AppError('invalid_request', `Line ${at + 1} of the patch: ${message}`)
  }
}

function patchLine(line: string): PatchLine | undefined {
  switch (line[0]) {
    case ' ':
      return { kind: 'keep', text: line.slice(1) }
    case '-':
      return { kind: 'remove', text: line.slice(1) }
    case '+':
      return { kind: 'add', text: line.slice(1) }
    case undefined:
      return { kind: 'keep', text: '' } // an empty line that lost its space on the way
    default:
      return undefined
  }
}

/** How many lines a hunk is short of what its header says. */
interface Counts {
  readonly old: number
  readonly new: number
}

/** What git puts behind a patch that was made for a letter. */
function isSignature(line: string): boolean {
  return line === '-- ' || line === '--'
}

/** Empty lines between a hunk and what comes behind it belong to neither. */
function withoutTrailingBlank(lines: readonly PatchLine[]): readonly PatchLine[] {
  const last = lines.findLastIndex((line) => line.kind !== 'keep' || line.text !== '')
  return lines.slice(0, last + 1)
}

/** The path of a `---` or `+++` line: a time behind a tab is left out. Null for `/dev/null`. */
function headerPath(text: string): string | null {
  const path = unquoted(text.startsWith('"') ? text : (text.split('\t')[0] ?? '').trimEnd())
  return path === '/dev/null' ? null : path
}

/** Of `a/x b/x`. When the paths differ there are rename lines, which say them apart. */
function gitPaths(text: string): readonly [string, string] | undefined {
  const quoted = /^("(?:[^"\\]|\\.)*") ("(?:[^"\\]|\\.)*")$/.exec(text)
  const [from, to] = quoted === null ? [text.slice(0, (text.length - 1) / 2), text.slice((text.length + 1) / 2)] : [unquoted(quoted[1] ?? ''), unquoted(quoted[2] ?? '')]
  return from.slice(2) === to.slice(2) && from.startsWith('a/') && to.startsWith('b/') ? [from.slice(2), to.slice(2)] : undefined
}

function isPrefixed(path: string | null | undefined, prefix: string): boolean {
  return path === null || path === undefined || path.startsWith(prefix)
}
