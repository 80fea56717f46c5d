import { diffArrays, FILE_HEADERS_ONLY, formatPatch, structuredPatch, type StructuredPatch } from 'diff'

export interface DiffSide {
  /** The path, without a leading slash. */
  readonly name: string
  /** What stands behind the name, such as `version 3`. */
  readonly label: string
  readonly text: string
}

export interface UnifiedDiff {
  readonly diff: string
  readonly added: number
  readonly removed: number
  /** False: the smallest difference was not found in time; this one is larger, and applies all the same. */
  readonly minimal: boolean
}

export interface DiffTime {
  /** At once, while everybody waits. */
  readonly quickMs: number
  /** Then in small steps, which lets others work in between. */
  readonly patientMs: number
}

const TIME: DiffTime = { quickMs: 100, patientMs: 3_000 }
const CONTEXT_LINES = 3

/** The difference between two texts as a patch that turns the first into the second. */
export async function unifiedDiff(from: DiffSide, to: DiffSide, time: DiffTime = TIME): Promise<UnifiedDiff> {
  if (from.text === to.text) return { diff: '', added: 0, removed: 0, minimal: true }
  const smallest = patch(from, to, time.quickMs) ?? (await patientPatch(from, to, time.patientMs))
  const found = smallest ?? coarsePatch(from, to)
  const lines = found.hunks.flatMap((hunk) => hunk.lines)
  const count = (sign: string): number => lines.filter((line) => line.startsWith(sign)).length
  return { diff: formatPatch(found, FILE_HEADERS_ONLY), added: count('+'), removed: count('-'), minimal: smallest !== undefined }
}

function patch(from: DiffSide, to: DiffSide, timeout: number): StructuredPatch | undefined {
  return structuredPatch(`a/${from.name}`, `b/${to.name}`, from.text, to.text, from.label, to.label, { context: CONTEXT_LINES, timeout })
}

function patientPatch(from: DiffSide, to: DiffSide, timeout: number): Promise<StructuredPatch | undefined> {
  return new Promise((callback) => {
    structuredPatch(`a/${from.name}`, `b/${to.name}`, from.text, to.text, from.label, to.label, { context: CONTEXT_LINES, timeout, callback })
  })
}

/** Everything between what both texts begin and end with, removed and added as a whole. */
function coarsePatch(from: DiffSide, to: DiffSide): StructuredPatch {
  const [old, now] = [splitKeepingBreaks(from.text), splitKeepingBreaks(to.text)]
  const { start, oldEnd, newEnd } = differingPart(old, now)
  const before = old.slice(Math.max(0, start - CONTEXT_LINES), start)
  const after = old.slice(oldEnd, oldEnd + CONTEXT_LINES)
  const marked = (sign: string, lines: readonly string[]): string[] => lines.flatMap((line) => (line.endsWith('\n') ? [`${sign}${line.slice(0, -1)}`] : [`${sign}${line}`, '\\ No newline at end of file']))
  const lines = [...marked(' ', before), ...marked('-', old.slice(start, oldEnd)), ...marked('+', now.slice(start, newEnd)), ...marked(' ', after)]
  const shared = before.length + after.length
  const hunk = { oldStart: start - before.length + 1, newStart: start - before.length + 1, oldLines: oldEnd - start + shared, newLines: newEnd - start + shared, lines }
  return { oldFileName: `a/${from.name}`, newFileName: `b/${to.name}`, oldHeader: from.label, newHeader: to.label, hunks: [hunk] }
}

interface DifferingPart {
  readonly start: number
  readonly oldEnd: number
  readonly newEnd: number
}

/** What lies between the lines that both begin with and those that both end with. */
function differingPart(old: readonly string[], now: readonly string[]): DifferingPart {
  const most = Math.min(old.length, now.length)
  let start = 0
  while (start < most && old[start] === now[start]) start += 1
  let same = 0
  while (same < most - start && old[old.length - 1 - same] === now[now.length - 1 - same]) same += 1
  return { start, oldEnd: old.length - same, newEnd: now.length - same }
}

function splitKeepingBreaks(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

/** For each line of `now`, its index in `old`, or -1 when it is new. Undefined when that takes longer than `timeoutMs`. */
export function matchLines(old: readonly string[], now: readonly string[], timeoutMs: number): readonly number[] | undefined {
  const { start, oldEnd, newEnd } = differingPart(old, now)
  const changes = diffArrays(old.slice(start, oldEnd), now.slice(start, newEnd), { timeout: timeoutMs })
  if (changes === undefined) return undefined
  const matches = Array.from({ length: start }, (_, index) => index)
  let at = start
  for (const { added, removed, count } of changes) {
    for (let index = 0; !removed && index < count; index += 1) matches.push(added ? -1 : at + index)
    if (!added) at += count
  }
  for (let index = newEnd; index < now.length; index += 1) matches.push(index - newEnd + oldEnd)
  return matches
}
