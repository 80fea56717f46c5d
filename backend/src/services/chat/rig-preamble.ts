import { ContextKey, type ContextMap } from './chat-context.ts'

/** The system text of an agent: the persona, then the active skills, each under its own heading. */
export function rigPreamble(context: ContextMap): string {
  const persona = context.get(ContextKey.SystemPersona)?.content ?? ''
  const skills = context.entries().flatMap(([key, entry]) => (key.startsWith('active_skill:') ? [entry.content] : []))
  return [persona, ...skills].filter((text) => text !== '').join('\n\n')
}
