import { objectsOf, textOf } from './json.ts'

/** The words of a content that is text, or a list of parts of which some have text. */
export function contentText(content: unknown): string {
  return typeof content === 'string' ? content : objectsOf(content).map((part) => textOf(part['text'])).join('\n')
}
