/** Words about what was seen. Everything in them comes from tool results. */
import type { Notebook } from './notebook.ts'
import { definitionPattern } from './rank-hits.ts'
import type { ReadFile, SearchHit } from './tool-result.ts'

const EXCERPT_LINES = 14
const LISTED_HITS = 30
const NAMED = /^\s*(?:export\s+)?(?:default\s+)?(?:pub(?:\([^)]*\))?\s+|public\s+|abstract\s+|async\s+)*(?:function\*?|class|interface|type|enum|const|def|fn|func|struct|trait)\s+([A-Za-z_$][\w$]*)/

/** A Markdown document about everything in the notebook, for a file. */
export function summaryDocument(notebook: Notebook): string {
  const sections = [`# ${title(notebook)}`, ...introduction(notebook), ...notebook.reads.map((file) => fileSection(file, notebook)), ...otherHits(notebook), ...listings(notebook)]
  return `${sections.join('\n\n')}\n\n---\nWritten by the offline model from what the tools returned.\n`
}

/** A few sentences about the files read, those from `start` on only. */
export function shortSummary(notebook: Notebook, start = 0): string {
  const files = notebook.reads.slice(start)
  if (files.length > 0) return files.map((file) => describeFile(file)).join('\n\n')
  if (!notebook.isEmpty) return notebook.said.length > 0 ? 'That is all I have seen.' : introduction(notebook).join(' ')
  return 'I have read nothing yet that I could summarise. Tell me which file, for example: `read /README.md and summarise`.'
}

export function planText(goal: string, notebook: Notebook): string {
  const seen = notebook.reads.map((file) => file.path)
  const steps = [
    `Look at what is there: list the folders and search for the words of the task ("${goal}").`,
    seen.length > 0 ? `Go through ${seen.join(', ')}, read already, for what must change.` : 'Read the files that turn up, the smallest first.',
    'Write down what must change, file by file.',
    'Make the changes one at a time, each a version of its own.',
    'Read the result again and write a summary.',
  ]
  return `# Plan: ${goal}\n\n${steps.map((step, index) => `${index + 1}. ${step}`).join('\n')}\n`
}

function title({ topic, reads }: Notebook): string {
  if (topic?.type === 'definition') return `Where \`${topic.words}\` is defined`
  if (topic?.type === 'search') return `Where "${topic.words}" stands`
  return reads.length === 1 ? `Summary of ${reads[0]?.path ?? ''}` : 'Summary'
}

function introduction({ topic, hits, reads, listed }: Notebook): readonly string[] {
  if (topic !== undefined) {
    const files = new Set(hits.map((hit) => hit.path)).size
    const found = hits.length === 0 ? `I found nothing about \`${topic.words}\`.` : `I found ${count(hits.length, 'matching line')} in ${count(files, 'file')} and read ${count(reads.length, 'file')}.`
    return [found]
  }
  if (reads.length > 0) return [`I read ${count(reads.length, 'file')}: ${reads.map((file) => file.path).join(', ')}.`]
  return listed.length > 0 ? [`I listed ${listed.map((folder) => folder.path).join(', ')}.`] : ['I have not read anything before writing this.']
}

function fileSection(file: ReadFile, { hits, topic }: Notebook): string {
  const own = hits.filter((hit) => hit.path === file.path)
  const best = own.find((hit) => topic !== undefined && new RegExp(definitionPattern(topic.words)).test(hit.text)) ?? own[0]
  const facts = [...own.slice(0, 5).map((hit) => `- Line ${hit.line}: \`${hit.text}\``), `- ${rangeOf(file)}`, ...commentFact(file, best), ...namesFact(file)]
  return [`## ${file.path}`, facts.join('\n'), excerpt(file, best?.line ?? file.firstLine)].filter((part) => part !== '').join('\n\n')
}

function rangeOf(file: ReadFile): string {
  return `The file has ${count(file.totalLines, 'line')}; I read lines ${file.firstLine} to ${file.firstLine + file.lines.length - 1}.`
}

/** The comment that stands directly above a hit says best what it is for. */
function commentFact(file: ReadFile, hit: SearchHit | undefined): readonly string[] {
  if (hit === undefined) return []
  const comment: string[] = []
  for (let index = hit.line - file.firstLine - 1; index >= 0; index -= 1) {
    const line = file.lines[index]?.trim() ?? ''
    if (!/^(?:\/\/|\/\*|\*|#(?!include|define|!\[)|--|"""|@)/.test(line)) break
    comment.unshift(line.replace(/^(?:\/\/[/!]?|\/\*\*?|\*\/|\*|#+|--|"""|@\S+)\s?/, '').replace(/\*\/$/, '').trim())
  }
  const text = comment.filter((line) => line !== '').join(' ')
  return text === '' ? [] : [`- The comment above it says: ${text}`]
}

function namesFact(file: ReadFile): readonly string[] {
  const names = definedNames(file)
  return names.length === 0 ? [] : [`- Defined in the part I read: ${names.map((name) => `\`${name}\``).join(', ')}.`]
}

function definedNames(file: ReadFile): readonly string[] {
  return [...new Set(file.lines.flatMap((line) => NAMED.exec(line)?.[1] ?? []))].slice(0, 12)
}

/** Indented by four, so that code fences within it do no harm. */
function excerpt(file: ReadFile, around: number): string {
  const start = Math.max(0, around - file.firstLine - 1)
  return file.lines.slice(start, start + EXCERPT_LINES).map((line) => `    ${line}`.trimEnd()).join('\n')
}

function otherHits({ hits, reads }: Notebook): readonly string[] {
  const others = hits.filter((hit) => !reads.some((file) => file.path === hit.path))
  if (others.length === 0) return []
  const lines = others.slice(0, LISTED_HITS).map((hit) => `- ${hit.path}:${hit.line}: \`${hit.text.slice(0, 160)}\``)
  return [`## Other matches\n\n${lines.join('\n')}${others.length > LISTED_HITS ? `\n- … and ${others.length - LISTED_HITS} more` : ''}`]
}

function listings({ listed }: Notebook): readonly string[] {
  return listed.map(({ path, entries }) => `## ${path}\n\n${entries.length === 0 ? 'Nothing yet.' : entries.map((entry) => `- ${entry.path}${entry.isFolder ? '/' : ''}`).join('\n')}`)
}

function describeFile(file: ReadFile): string {
  const heading = file.lines.find((line) => /^#\s+\S/.test(line))?.replace(/^#+\s+/, '')
  const sections = file.lines.filter((line) => /^##\s+\S/.test(line)).map((line) => line.replace(/^#+\s+/, ''))
  const names = definedNames(file)
  const prose = file.lines.map((line) => line.trim()).find((line) => line.length > 0 && !/^(?:#|```|---|import\b|from\b|use\b|<|\{|\[|\/\*\*?$|\*\/)/.test(line))
  const sentences = [
    `${file.path} has ${count(file.totalLines, 'line')}${file.lines.length < file.totalLines ? `, of which I read ${file.lines.length}` : ''}.`,
    ...(heading === undefined ? [] : [`Its title is "${heading}".`]),
    ...(prose === undefined ? [] : [`It begins: "${prose.slice(0, 200)}"`]),
    ...(sections.length === 0 ? [] : [`Sections: ${sections.slice(0, 12).join(', ')}.`]),
    ...(names.length === 0 || heading !== undefined ? [] : [`It defines ${names.join(', ')}.`]),
  ]
  return sentences.join(' ')
}

function count(number: number, noun: string): string {
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`
}
