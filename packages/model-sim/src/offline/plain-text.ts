/** Text with what stands in quotes taken out, so that rules may split and match it without looking into somebody's words. */
export interface PlainText {
  /** The text with a mark in place of each quotation. */
  readonly text: string
  /** The words behind a mark, or the text itself when it holds none. */
  reveal(text: string): string
}

const QUOTATION = /```[^\n`]*\n([\s\S]*?)```|"([^"]*)"|“([^”]*)”|`([^`]+)`|(?<=^|[\s(:])'([^']*)'(?=$|[\s.,;:!?)])/g
const MARK = /⟦(\d+)⟧/g

/** A mark, for use inside patterns. */
export const QUOTED = '⟦\\d+⟧'

export function takeQuotations(source: string): PlainText {
  const quotations: string[] = []
  const text = source.replaceAll(/[⟦⟧]/g, '').replace(QUOTATION, (_whole, ...groups: unknown[]) => {
    const words = groups.slice(0, 5).find((group) => typeof group === 'string')
    quotations.push(typeof words === 'string' ? words : '')
    return `⟦${quotations.length - 1}⟧`
  })
  return { text, reveal: (part) => part.replaceAll(MARK, (_whole, index: string) => quotations[Number(index)] ?? '') }
}
