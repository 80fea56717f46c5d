import type { Document } from '../completion/completion-request.ts'

/** A document as the text that models are shown, the same for all providers. */
export function documentText({ id, text, additionalProps }: Document): string {
  const metadata = Object.entries(additionalProps ?? {}).toSorted(([left], [right]) => (left < right ? -1 : 1))
  const line = metadata.length === 0 ? '' : `<metadata ${metadata.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(' ')} />\n`
  return `<file id: ${id}>\n${line}${text}\n</file>\n`
}
