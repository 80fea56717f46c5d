import { ContextKey, type ContextMap } from './chat-context.ts'

const SKILLS = `Skills are instructions for particular kinds of work. You see what each is for; its text is in its file. When a task fits a skill, read that file first and follow it. What it refers to lies in its folder.`

/** The system text of an agent: the persona, then the skills that it is offered, a line each. It changes only when a definition does, so that providers can reuse what they have read. */
export function rigPreamble(context: ContextMap): string {
  const persona = context.get(ContextKey.SystemPersona)?.content ?? ''
  const skills = context.entries().flatMap(([key, entry]) => (key.startsWith('active_skill:') ? [entry.content] : []))
  return skills.length === 0 ? persona : [persona, `<skills>\n${[SKILLS, ...skills].join('\n')}\n</skills>`].join('\n\n')
}
