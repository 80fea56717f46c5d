/**
 * The offline model: follows simple instructions by rules, with the tools it is offered. It keeps nothing between requests: each time it
 * reads the instruction again and replays the tool results of the conversation, so it continues wherever a history was interrupted.
 */
import { readConversation, type CallResult } from '../conversation.ts'
import type { ModelQuestion } from '../model-question.ts'
import { streamPieces, type OutputPart } from '../model-turn.ts'
import { Notebook } from './notebook.ts'
import { parseInstruction } from './parse-instruction.ts'
import { perform } from './perform.ts'
import { NO_RESULT, type Step, type ToolRequest } from './step.ts'
import { asReadFile, readToolResult } from './tool-result.ts'
import { isObject, textOf } from '../json.ts'
import { INTRODUCTION } from './introduction.ts'

export function answerByRules(question: Pick<ModelQuestion, 'entries' | 'tools' | 'mayCallTools'>): readonly OutputPart[] {
  const { lastUserText, rounds, earlier } = readConversation(question)
  const notebook = new Notebook()
  const actions = parseInstruction(lastUserText)
  if (actions.some((action) => action.type === 'summarise' || action.type === 'write-summary')) recallReads(actions.some(looksAtFiles) ? [] : earlier, notebook)
  const step = replay({ work: perform(actions, notebook), rounds })
  if (step === undefined) return [text(notebook.said.length === 0 ? INTRODUCTION : notebook.said.join('\n\n'))]
  const absent = question.mayCallTools ? step.calls.find((call) => !question.tools.includes(call.tool))?.tool : step.calls[0]?.tool
  if (absent !== undefined) return [text([...notebook.said, `For that I would need the tool \`${absent}\`, which I am not offered here.`].join('\n\n'))]
  return [{ type: 'reasoning', summary: [step.thought] }, ...step.calls.map((call) => callPart(call))]
}

function looksAtFiles(action: { readonly type: string }): boolean {
  return ['read', 'find-definition', 'search', 'list', 'glob'].includes(action.type)
}

/** The step that comes next; undefined when the work is done. */
function replay({ work, rounds }: { readonly work: Generator<Step, void, readonly ReturnType<typeof readToolResult>[]>; readonly rounds: readonly (readonly CallResult[])[] }): Step | undefined {
  let next = work.next()
  for (const round of rounds) {
    if (next.done === true) return undefined
    next = work.next(next.value.calls.map((_call, index) => (round[index] === undefined ? NO_RESULT : readToolResult(round[index].output))))
  }
  return next.done === true ? undefined : next.value
}

/** What was read in earlier turns, for "summarise it". */
function recallReads(results: readonly CallResult[], notebook: Notebook): void {
  for (const { name, arguments: given, output } of results) {
    const result = name === 'read' ? readToolResult(output) : NO_RESULT
    if (result.type === 'ok') notebook.reads.push(asReadFile(result.value, { path: isObject(given) ? textOf(given['path']) : '', offset: 0 }))
  }
}

function callPart(call: ToolRequest): OutputPart {
  return { type: 'call', name: call.tool, deltas: JSON.stringify(call.arguments).match(/.{1,16}/gsu) ?? [] }
}

function text(words: string): OutputPart {
  return { type: 'text', deltas: streamPieces(words) }
}
