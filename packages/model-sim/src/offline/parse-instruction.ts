/** Reads an instruction in plain English, clause by clause, by rules: the first rule that fits a clause decides. */
import type { Action, FileToWrite } from './action.ts'
import { QUOTED, takeQuotations, type PlainText } from './plain-text.ts'

const VERBS =
  'list|ls|show|read|open|view|cat|print|write|create|make|add|save|put|store|edit|change|update|replace|delete|remove|rename|move|find|search|grep|glob|look|locate|where|summari[sz]e|sum|touch|plan|tell|explain|describe|mkdir|give'
const CLAUSE_END = new RegExp(`\\s*(?:;|\\n+|[.!?]\\s+(?=\\S)|,?\\s+(?:and\\s+)?then\\s+|,?\\s+and\\s+(?=(?:${VERBS})\\b)|,\\s+(?=(?:${VERBS})\\b))\\s*`, 'i')
const POLITENESS = /^(?:please|now|also|first|next|finally|then|and|can you|could you|would you|i want you to|i would like you to|let'?s|ok|okay|so|just)[,:]?\s+/i

/** A path: quoted, or with a slash, or with a dot in its name. */
const PATH = `(?:${QUOTED}|[\\w.@+~-]*\\/[\\w.@+~/-]*|[\\w@+~-]+(?:\\.[\\w@+~-]+)+)`
const PATHS = new RegExp(PATH, 'g')
const WORD = `(?:${QUOTED}|[^\\s,;]+)`

interface Clause {
  readonly text: string
  readonly quotes: PlainText
  /** The file that was spoken of last, for "edit /a and replace x with y". */
  readonly lastPath: string | undefined
}

type Rule = (clause: Clause) => Action | undefined

export function parseInstruction(source: string): readonly Action[] {
  const quotes = takeQuotations(source)
  const actions: Action[] = []
  let lastPath: string | undefined
  for (const part of quotes.text.split(CLAUSE_END)) {
    const text = stripPoliteness(part.trim().replace(/[.!?,:]+$/, ''))
    if (text === '') continue
    const clause = { text, quotes, lastPath }
    const action = firstMatch(clause)
    lastPath = pathsIn(clause).at(-1) ?? lastPath
    if (action !== undefined) actions.push(action)
  }
  return actions
}

function stripPoliteness(text: string): string {
  const stripped = text.replace(POLITENESS, '')
  return stripped === text ? text : stripPoliteness(stripped)
}

function firstMatch(clause: Clause): Action | undefined {
  if (new RegExp(`^(?:edit|change|update|modify|open)\\s+(?:the\\s+file\\s+)?${PATH}$`, 'i').test(clause.text) && !/^open/i.test(clause.text)) return undefined
  for (const rule of RULES) {
    const action = rule(clause)
    if (action !== undefined) return action
  }
  return { type: 'unknown', text: clause.quotes.reveal(clause.text) }
}

const greet: Rule = ({ text }) => (/^(?:hi|hello|hey|hallo|greetings|good (?:morning|afternoon|evening|day))\b/i.test(text) && text.length < 40 ? { type: 'greet' } : undefined)

const introduce: Rule = ({ text }) => (/^(?:who|what) are you\b|^help\b|^what can (?:you|i)\b|^what do you do\b/i.test(text) ? { type: 'introduce' } : undefined)

const writeMany: Rule = (clause) => {
  const match = new RegExp(`^(?:write|create|make|add)\\s+(\\d+|${Object.keys(NUMBERS).join('|')})\\s+(?:[a-z]+\\s+){0,2}?(?:files|file|notes|documents)\\s+(?:under|in|into|inside|at|to|below)\\s+(?:the\\s+folder\\s+)?(${PATH}|[\\w-]+)`, 'i').exec(clause.text)
  if (match === null) return undefined
  const count = NUMBERS[(match[1] ?? '').toLowerCase()] ?? Number(match[1])
  const folder = absolute(clause.quotes.reveal(match[2] ?? '/'))
  const said = new RegExp(`\\bwith\\s+(?:the\\s+)?(?:text|content|contents)?\\s*:?\\s*(${QUOTED})`, 'i').exec(clause.text)?.[1]
  const atOnce = /(\d+) at (?:a time|once)/i.exec(clause.text)?.[1]
  const files = Array.from({ length: Math.min(count, 1000) }, (_, index) => numberedFile({ folder, number: index + 1, count, said: said && clause.quotes.reveal(said) }))
  return { type: 'write-many', files, atOnce: atOnce === undefined ? undefined : Math.max(1, Number(atOnce)) }
}

const NUMBERS: Readonly<Record<string, number>> = { two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10, twelve: 12, twenty: 20 }

function numberedFile(file: { readonly folder: string; readonly number: number; readonly count: number; readonly said: string | undefined }): FileToWrite {
  const name = `file-${String(file.number).padStart(String(file.count).length, '0')}.md`
  return { path: `${file.folder.replace(/\/$/, '')}/${name}`, content: file.said ?? `# File ${file.number} of ${file.count}\n\nWritten by the offline model.\n` }
}

const writeSummary: Rule = (clause) => {
  const match =
    new RegExp(`^(?:write|save|put|create|make|store|add|give)\\b[^⟦]*?\\b(?:summary|report|overview|findings|notes|results?|answer|it|them|that|what you (?:found|saw|read|learned))\\b.*?\\b(?:to|in|into|at|as)\\s+(?:the\\s+file\\s+)?(${PATH})`, 'i').exec(clause.text) ??
    new RegExp(`^(?:summari[sz]e|sum)\\b.*?\\b(?:to|into|in)\\s+(${PATH})$`, 'i').exec(clause.text)
  if (match === null) return undefined
  const path = absolute(clause.quotes.reveal(match[1] ?? ''))
  return { type: 'write-summary', path, sources: pathsIn(clause).filter((source) => source !== path) }
}

const plan: Rule = (clause) => {
  const match = /^plan\b(?!\.)\s*:?\s*(.*)$|^(?:make|write|create|give|draft)\b[^/]*?\bplan\b(?!\.)\s*(?:for|of|about)?\s*(.*)$/i.exec(clause.text)
  if (match === null) return undefined
  const rest = match[1] ?? match[2] ?? ''
  const target = new RegExp(`\\s*\\b(?:to|in|into|at)\\s+(${PATH})\\s*$|^(${PATH})$`, 'i').exec(rest)
  const goal = target === null ? rest : rest.slice(0, target.index)
  const path = target?.[1] ?? target?.[2]
  return { type: 'plan', goal: clause.quotes.reveal(goal).trim() || 'the work', path: path === undefined ? undefined : absolute(clause.quotes.reveal(path)) }
}

const makeFolder: Rule = (clause) => (/^(?:(?:create|make|add)\s+(?:an?\s+|the\s+)?(?:new\s+)?(?:folders?|director(?:y|ies)|dirs?)\b|mkdir\b)/i.test(clause.text) ? withPaths(clause, (paths) => ({ type: 'make-folder', paths })) : undefined)

const touch: Rule = (clause) => (/^(?:touch\b|(?:create|make|add)\s+(?:an?\s+|the\s+)?empty\s+files?\b)/i.test(clause.text) ? withPaths(clause, (paths) => ({ type: 'touch', paths })) : undefined)

const write: Rule = (clause) => {
  if (!/^(?:write|create|make|add|save|put|store)\b/i.test(clause.text)) return undefined
  const turned = new RegExp(`^(?:write|save|put|store|add)\\s+(?:the\\s+(?:text|words?|line)\\s+)?(${QUOTED}|.+?)\\s+(?:to|into|in)\\s+(?:the\\s+|a\\s+)?(?:new\\s+)?(?:file\\s+)?(${PATH})$`, 'i').exec(clause.text)
  if (turned !== null) return { type: 'write', files: [fileToWrite(clause, { path: turned[2], content: turned[1] })] }
  const pair = new RegExp(`(${PATH})\\s*(?::|\\b(?:with|containing|saying|that says)\\b)\\s*(?:the\\s+)?(?:texts?|contents?|words?|lines?)?\\s*:?\\s*(${QUOTED}|.+?(?=,?\\s+and\\s+${PATH}\\s*(?::|with|containing)|$))`, 'gi')
  const files = [...clause.text.matchAll(pair)].map((match) => fileToWrite(clause, { path: match[1], content: match[2] }))
  if (files.length > 0) return { type: 'write', files }
  return withPaths(clause, (paths) => ({ type: 'write', files: paths.map((path) => ({ path, content: `# ${path.split('/').at(-1) ?? path}\n` })) }))
}

function fileToWrite({ quotes }: Clause, found: { readonly path: string | undefined; readonly content: string | undefined }): FileToWrite {
  return { path: absolute(quotes.reveal(found.path ?? '')), content: quotes.reveal(found.content ?? '') }
}

const edit: Rule = (clause) => {
  const words = new RegExp(`\\b(?:replace|change|swap|substitute)\\s+(?:the\\s+(?:text|words?)\\s+)?(${WORD})\\s+(?:with|by|to|for|into)\\s+(${WORD})`, 'i').exec(clause.text)
  if (words === null) return undefined
  const [whole, from = '', to = ''] = words
  const path = pathsIn({ ...clause, text: clause.text.replace(whole, ' ') })[0] ?? clause.lastPath
  return path === undefined ? undefined : { type: 'edit', path, from: clause.quotes.reveal(from), to: clause.quotes.reveal(to) }
}

const rename: Rule = (clause) => {
  const match = new RegExp(`^(?:rename|move|mv)\\s+(?:the\\s+)?(?:file\\s+|folder\\s+)?(${PATH}|\\S+)\\s+(?:to|into|as|->)\\s+(${PATH}|\\S+)`, 'i').exec(clause.text)
  return match === null ? undefined : { type: 'rename', from: absolute(clause.quotes.reveal(match[1] ?? '')), to: absolute(clause.quotes.reveal(match[2] ?? '')) }
}

const remove: Rule = (clause) =>
  /^(?:delete|remove|rm)\b/i.test(clause.text)
    ? withPaths(clause, (paths) => ({ type: 'delete', paths, isRecursive: /\b(?:folders?|director(?:y|ies)|recursively|everything|-rf?)\b/i.test(clause.text) || paths.some((path) => path.endsWith('/')) }))
    : undefined

const describeFile: Rule = (clause) => (/^(?:info|file_info|stat|details|how (?:big|large|long) is|when was|tell me about|describe the file)\b/i.test(clause.text) ? withPaths(clause, (paths) => ({ type: 'describe-file', paths })) : undefined)

const findDefinition: Rule = ({ text, quotes }) => {
  const kind = '(?:the\\s+)?(?:function|class|type|interface|const|constant|variable|method|struct|enum)\\s+'
  const match =
    new RegExp(`\\bwhere\\s+(?:is\\s+|are\\s+)?(?:${kind})?(${WORD})\\s+(?:is\\s+|are\\s+|gets?\\s+)?(?:defined|declared|implemented|located)\\b`, 'i').exec(text) ??
    new RegExp(`\\b(?:definition|declaration|implementation)\\s+of\\s+(?:${kind})?(${WORD})`, 'i').exec(text) ??
    new RegExp(`^(?:find|locate)\\s+${kind}(${WORD})`, 'i').exec(text)
  return match === null ? undefined : { type: 'find-definition', name: quotes.reveal(match[1] ?? '').replace(/[.,!?]+$|\(\)$/g, '') }
}

const glob: Rule = ({ text, quotes }) => {
  const match =
    /^(?:find|list|show|glob|search for)\s+(?:me\s+)?(?:all\s+)?(?:the\s+)?(?:files\s+)?(?:matching\s+|like\s+)?(\S*\*\S*)/i.exec(text) ??
    new RegExp(`^(?:find|list|show|search for)\\s+(?:me\\s+)?(?:all\\s+)?(?:the\\s+)?files?\\s+(?:named|called|matching|like)\\s+(${WORD})`, 'i').exec(text)
  if (match === null) return undefined
  const pattern = quotes.reveal(match[1] ?? '')
  return { type: 'glob', pattern: /[*/]/.test(pattern) ? (pattern.includes('/') ? pattern : `**/${pattern}`) : `**/*${pattern}*` }
}

const search: Rule = (clause) => {
  const match = new RegExp(
    `^(?:search|grep|look|find|locate)\\b(?:\\s+(?:me|everywhere|through the files|the workspace))?(?:\\s+for)?(?:\\s+(?:all|every|any|the))*(?:\\s+(?:uses?|usages?|occurrences?|mentions?|references?|lines?|files?|word|text))?(?:\\s+(?:of|to|with|containing|that\\s+(?:mention|contain|use)s?))?\\s+(${QUOTED}|.+?)(?:\\s+(?:in|under|below|within)\\s+(${PATH}))?$`,
    'i',
  ).exec(clause.text)
  if (match === null) return undefined
  return { type: 'search', words: clause.quotes.reveal(match[1] ?? ''), folder: match[2] === undefined ? undefined : absolute(clause.quotes.reveal(match[2])) }
}

const list: Rule = (clause) => {
  const isList = /^(?:list|ls|dir)\b/i.test(clause.text) || /^(?:show(?:\s+me)?|what(?:'s| is| are| files| folders)|which|see|give me)\b.*\b(?:files?|folders?|everything|contents|workspace|directory|there|in)\b/i.test(clause.text)
  if (!isList) return undefined
  const isRecursive = /\b(?:recursive(?:ly)?|everything|all|tree|-r)\b/i.test(clause.text)
  const named = /\b(?:in|under|of|folder|directory)\s+(?:the\s+)?(?:folder\s+|directory\s+)?([\w-]+)$/i.exec(clause.text)?.[1]
  const isPlace = named !== undefined && !/^(?:workspace|there|here|root|files?|folders?|everything|directory|folder)$/i.test(named)
  return { type: 'list', path: pathsIn(clause)[0] ?? (isPlace ? absolute(named) : '/'), isRecursive }
}

const read: Rule = (clause) => (/^(?:read|open|show(?:\s+me)?|cat|print|look\s+(?:at|into)|view|see|display|check)\b/i.test(clause.text) ? withPaths(clause, (paths) => ({ type: 'read', paths })) : undefined)

const summarise: Rule = (clause) => {
  if (!/^(?:summari[sz]e|sum\s+(?:it|them|this|that)?\s*up|explain|describe|tell\s+me|what\s+(?:does|do|did))\b/i.test(clause.text)) return undefined
  const paths = pathsIn(clause)
  return paths.length > 0 ? { type: 'read', paths } : { type: 'summarise' }
}

const RULES: readonly Rule[] = [
  greet, introduce, writeMany, makeFolder, touch, edit, plan, writeSummary, write, rename, remove, describeFile, findDefinition, glob, list, search, read, summarise,
]

function withPaths(clause: Clause, make: (paths: readonly string[]) => Action): Action | undefined {
  const paths = pathsIn(clause)
  return paths.length === 0 ? undefined : make(paths)
}

function pathsIn({ text, quotes }: Pick<Clause, 'text' | 'quotes'>): readonly string[] {
  return [...text.matchAll(PATHS)].map(([path]) => absolute(quotes.reveal(path.replace(/[.,]+$/, ''))))
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path.replace(/^\.\//, '')}`
}
