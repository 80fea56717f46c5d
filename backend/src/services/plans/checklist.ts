/** The items of a Markdown checklist: `- [ ] text` is open, `- [x] text` is done. What stands in a code block is no item. Pure. */
import { AppError } from '../../errors.ts'
import { nearNames } from '../files/near-names.ts'

export interface ChecklistItem {
  /** From 1, in the order of the text. */
  readonly number: number
  readonly text: string
  readonly done: boolean
  /** 0-based, in the text. */
  readonly line: number
}

const ITEM = /^(\s*(?:[-*+]|\d{1,9}[.)])\s+\[)([ xX])(\](?:\s+|$))([^\n]*)$/
const FENCE = /^\s*(`{3,}|~{3,})/
const SHOWN_ITEMS = 10

export function checklistItems(text: string): readonly ChecklistItem[] {
  const items: ChecklistItem[] = []
  let fence: string | undefined
  for (const [line, content] of text.split('\n').entries()) {
    const mark = FENCE.exec(content)?.[1]
    if (mark !== undefined && (fence === undefined || mark.startsWith(fence))) fence = fence === undefined ? mark : undefined
    const item = fence === undefined ? ITEM.exec(content) : null
    if (item !== null) items.push({ number: items.length + 1, text: (item[4] ?? '').trim(), done: item[2] !== ' ', line })
  }
  return items
}

/** The text with items done or open again; each is named by its number or its text. Throws `conflict` for a name that is not clear. */
export function tickItems(text: string, { check, uncheck }: { readonly check: readonly string[]; readonly uncheck: readonly string[] }): string {
  const items = checklistItems(text)
  const marks = new Map([...check.map((name) => [findItem(items, name).line, 'x'] as const), ...uncheck.map((name) => [findItem(items, name).line, ' '] as const)])
  if (marks.size < check.length + uncheck.length) throw new AppError('invalid_request', 'An item is named twice in check and uncheck. Name each once.')
  return text.split('\n').map((line, index) => withMark(line, marks.get(index))).join('\n')
}

function withMark(line: string, mark: string | undefined): string {
  const [, before, old, after, rest] = ITEM.exec(line) ?? []
  if (mark === undefined || before === undefined || old === undefined || (mark === 'x' && old !== ' ')) return line
  return `${before}${mark}${after ?? ''}${rest ?? ''}`
}

function findItem(items: readonly ChecklistItem[], name: string): ChecklistItem {
  const wanted = name.trim()
  const byNumber = /^#?\d+$/.test(wanted) ? items[Number(wanted.replace('#', '')) - 1] : undefined
  const found = byNumber === undefined ? byText(items, wanted.toLowerCase()) : [byNumber]
  const [item] = found
  if (item === undefined) throw new AppError('conflict', `There is no item ${JSON.stringify(name)} in the checklist. ${hint(items, wanted)}`)
  if (found.length > 1) throw new AppError('conflict', `${JSON.stringify(name)} can be several items: ${listed(found)}. Name the one by its number.`)
  return item
}

/** Items of exactly this text; else those that begin with it. */
function byText(items: readonly ChecklistItem[], wanted: string): readonly ChecklistItem[] {
  if (wanted === '') return []
  const exact = items.filter((item) => item.text.toLowerCase() === wanted)
  return exact.length > 0 ? exact : items.filter((item) => item.text.toLowerCase().startsWith(wanted))
}

function hint(items: readonly ChecklistItem[], wanted: string): string {
  if (items.length === 0) return 'The plan has no checklist: its items are lines such as "- [ ] Write the tests".'
  const near = nearNames(wanted, items.map((item) => item.text))
  const close = items.filter((item) => near.includes(item.text))
  return close.length > 0 ? `Did you mean ${listed(close)}?` : `Its items are ${listed(items)}.`
}

function listed(items: readonly ChecklistItem[]): string {
  const shown = items.slice(0, SHOWN_ITEMS).map((item) => `${item.number}: ${JSON.stringify(item.text.slice(0, 80))}`)
  return items.length > SHOWN_ITEMS ? `${shown.join(', ')}, … (${items.length} in all)` : shown.join(', ')
}
