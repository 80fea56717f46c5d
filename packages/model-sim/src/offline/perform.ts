/** Carries out actions. Generators, so that a conversation resumed from history comes to the same place by replaying its results. */
import type { Action, FileToWrite } from './action.ts'
import { INTRODUCTION } from './introduction.ts'
import { Notebook } from './notebook.ts'
import { findDefinition, search } from './perform-search.ts'
import { NO_RESULT, type Step, type Work } from './step.ts'
import { planText, shortSummary, summaryDocument } from './summary.ts'
import { asEntries, asReadFile, type ToolResult } from './tool-result.ts'

const SHOWN_ENTRIES = 60
const READ_LINES = 400

export function* perform(actions: readonly Action[], notebook: Notebook): Work {
  for (const action of joinActions(actions)) yield* performOne(action, notebook)
}

/** Files that are asked for one after the other are written side by side; what is done anyway is not done twice. */
function joinActions(actions: readonly Action[]): readonly Action[] {
  const joined: Action[] = []
  for (const action of actions) {
    const last = joined.at(-1)
    if (action.type === 'write' && last?.type === 'write') joined[joined.length - 1] = { type: 'write', files: [...last.files, ...action.files] }
    else if (action.type !== 'summarise' || last?.type !== 'read') joined.push(action) // reading ends with a summary by itself
  }
  return joined
}

function* performOne(action: Action, notebook: Notebook): Work {
  switch (action.type) {
    case 'greet':
      return notebook.say(`Hello! ${INTRODUCTION}`)
    case 'introduce':
      return notebook.say(INTRODUCTION)
    case 'list':
      return yield* listFolder(action, notebook)
    case 'glob':
      return yield* globFiles(action.pattern, notebook)
    case 'read':
      return yield* readFiles(action.paths, notebook)
    case 'find-definition':
      return yield* findDefinition(action.name, notebook)
    case 'search':
      return yield* search(action, notebook)
    case 'write':
      return yield* writeFiles(action.files, notebook)
    case 'write-many':
      return yield* writeMany(action, notebook)
    case 'write-summary':
      return yield* writeSummary(action, notebook)
    case 'summarise':
      return notebook.say(shortSummary(notebook))
    case 'edit':
      return yield* simple({ thought: `I change ${action.path}.`, call: ['edit', { path: action.path, old_string: action.from, new_string: action.to }], done: `I replaced "${action.from}" with "${action.to}" in ${action.path}.` }, notebook)
    case 'delete':
      return yield* forEachPath(action.paths, notebook, (path) => ({ thought: `I delete ${path}.`, call: ['rm', { path, ...(action.isRecursive ? { recursive: true } : {}) }], done: `I deleted ${path}.` }))
    case 'rename':
      return yield* simple({ thought: `I move ${action.from} to ${action.to}.`, call: ['mv', { source: action.from, destination: action.to }], done: `I moved ${action.from} to ${action.to}.` }, notebook)
    case 'make-folder':
      return yield* forEachPath(action.paths, notebook, (path) => ({ thought: `I make the folder ${path}.`, call: ['mkdir', { path }], done: `I made the folder ${path}.` }))
    case 'touch':
      return yield* forEachPath(action.paths, notebook, (path) => ({ thought: `I touch ${path}.`, call: ['touch', { path }], done: `I touched ${path}.` }))
    case 'describe-file':
      return yield* describeFiles(action.paths, notebook)
    case 'plan':
      return yield* makePlan(action, notebook)
    case 'unknown':
      return notebook.say(`I have no rule for "${action.text}". ${INTRODUCTION}`)
  }
}

interface SimpleWork {
  readonly thought: string
  readonly call: readonly [tool: string, toolArguments: Readonly<Record<string, unknown>>]
  readonly done: string
}

function* simple(work: SimpleWork, notebook: Notebook): Work {
  const [tool, toolArguments] = work.call
  const [result = NO_RESULT] = yield { thought: work.thought, calls: [{ tool, arguments: toolArguments }] }
  notebook.say(result.type === 'ok' ? work.done : `That did not work (${tool}): ${result.reason}`)
}

function* forEachPath(paths: readonly string[], notebook: Notebook, make: (path: string) => SimpleWork): Work {
  for (const path of paths) yield* simple(make(path), notebook)
}

function* listFolder({ path, isRecursive }: { readonly path: string; readonly isRecursive: boolean }, notebook: Notebook): Work {
  const [result = NO_RESULT] = yield { thought: `I look at what is in ${path}.`, calls: [{ tool: 'ls', arguments: { path, ...(isRecursive ? { recursive: true } : {}) } }] }
  showEntries(result, { title: path, notebook })
}

function* globFiles(pattern: string, notebook: Notebook): Work {
  const [result = NO_RESULT] = yield { thought: `I look for files like ${pattern}.`, calls: [{ tool: 'glob', arguments: { pattern } }] }
  showEntries(result, { title: pattern, notebook })
}

function showEntries(result: ToolResult, { title, notebook }: { readonly title: string; readonly notebook: Notebook }): void {
  if (result.type === 'failed') return notebook.say(`I could not list ${title}: ${result.reason}`)
  const entries = asEntries(result.value)
  notebook.listed.push({ path: title, entries })
  if (entries.length === 0) return notebook.say(`${title} holds nothing yet.`)
  const lines = entries.slice(0, SHOWN_ENTRIES).map((entry) => `- ${entry.path}${entry.isFolder && !entry.path.endsWith('/') ? '/' : ''}`)
  const rest = entries.length > SHOWN_ENTRIES ? `\n- … and ${entries.length - SHOWN_ENTRIES} more` : ''
  notebook.say(`${title} holds ${entries.length === 1 ? 'one entry' : `${entries.length} entries`}:\n\n${lines.join('\n')}${rest}`)
}

function* readFiles(paths: readonly string[], notebook: Notebook): Work {
  const results = yield { thought: `I read ${paths.join(' and ')}.`, calls: paths.map((path) => ({ tool: 'read', arguments: { path, limit: READ_LINES } })) }
  const before = notebook.reads.length
  paths.forEach((path, index) => {
    const result = results[index] ?? NO_RESULT
    if (result.type === 'ok') notebook.reads.push(asReadFile(result.value, { path, offset: 0 }))
    else notebook.say(`I could not read ${path}: ${result.reason}`)
  })
  if (notebook.reads.length > before) notebook.say(shortSummary(notebook, before))
}

function* writeFiles(files: readonly FileToWrite[], notebook: Notebook): Work {
  const names = files.length > 3 ? `${files.length} files` : files.map((file) => file.path).join(' and ')
  const results = yield writeStep(`I write ${names}.`, files, {})
  const taken = files.filter((_file, index) => alreadyExists(results[index] ?? NO_RESULT))
  const again = taken.length === 0 ? [] : yield writeStep(`${taken.map((file) => file.path).join(' and ')} exists already; I write a new version over it.`, taken, { overwrite: true })
  files.forEach((file, index) => {
    const result = taken.includes(file) ? again[taken.indexOf(file)] : results[index]
    notebook.say(writtenSentence(file, { result: result ?? NO_RESULT, isNewVersion: taken.includes(file) }))
  })
}

function* writeSummary({ path, sources }: { readonly path: string; readonly sources: readonly string[] }, notebook: Notebook): Work {
  if (sources.length > 0) yield* readFiles(sources, notebook)
  yield* writeFiles([{ path, content: notebook.plan ?? summaryDocument(notebook) }], notebook)
}

function writeStep(thought: string, files: readonly FileToWrite[], extra: { readonly overwrite?: boolean }): Step {
  return { thought, calls: files.map((file) => ({ tool: 'write', arguments: { path: file.path, content: file.content, ...extra } })) }
}

function writtenSentence(file: FileToWrite, { result, isNewVersion }: { readonly result: ToolResult; readonly isNewVersion: boolean }): string {
  if (result.type === 'failed') return `I could not write ${file.path}: ${result.reason}`
  return `I wrote ${isNewVersion ? 'a new version of ' : ''}${file.path} (${file.content.length} characters).`
}

function alreadyExists(result: ToolResult): boolean {
  return result.type === 'failed' && /\b(?:already\s+)?exists?\b|overwrite/i.test(result.reason) && !/does not exist|doesn't exist|no such/i.test(result.reason)
}

/** Alternates between one file and two, unless told how many at once: both shapes of a step are worth showing. */
function* writeMany({ files, atOnce }: { readonly files: readonly FileToWrite[]; readonly atOnce: number | undefined }, notebook: Notebook): Work {
  const reports = new Notebook()
  for (let start = 0, round = 0; start < files.length; round += 1) {
    const size = atOnce ?? 1 + (round % 2)
    yield* writeFiles(files.slice(start, start + size), reports)
    start += size
  }
  const failures = reports.said.filter((sentence) => !sentence.startsWith('I wrote '))
  notebook.say([`I wrote ${files.length - failures.length} of ${files.length} files, ${files[0]?.path ?? ''} to ${files.at(-1)?.path ?? ''}.`, ...failures].join('\n'))
}

function* describeFiles(paths: readonly string[], notebook: Notebook): Work {
  const results = yield { thought: `I look at ${paths.join(' and ')}.`, calls: paths.map((path) => ({ tool: 'file_info', arguments: { path } })) }
  paths.forEach((path, index) => {
    const result = results[index] ?? NO_RESULT
    if (result.type === 'failed') return notebook.say(`I could not look at ${path}: ${result.reason}`)
    const facts = Object.entries(result.value).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    notebook.say(`${path}:\n\n${facts.map(([key, value]) => `- ${key.replaceAll('_', ' ')}: ${String(value)}`).join('\n')}`)
  })
}

function* makePlan({ goal, path }: { readonly goal: string; readonly path: string | undefined }, notebook: Notebook): Work {
  const text = planText(goal, notebook)
  notebook.plan = text
  if (path === undefined) return notebook.say(text)
  yield* writeFiles([{ path, content: text }], notebook)
}
