/** A part of a text that came from outside, cut between letters; what JSON could not hold well reads as U+FFFD. */
export function fittingText(text: string, { start, length }: { readonly start: number; readonly length: number }): string {
  const part = text.slice(start, start + length)
  const last = part.charCodeAt(part.length - 1)
  const isCutLetter = last >= 0xd800 && last <= 0xdbff && part.length > 1
  return (isCutLetter ? part.slice(0, -1) : part).toWellFormed().replaceAll(/(?![\t\n\r])\p{Cc}/gu, '\uFFFD')
}
