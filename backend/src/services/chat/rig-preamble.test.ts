import { expect, it } from 'vitest'
import { ContextKey, ContextMap } from './chat-context.ts'
import { rigPreamble } from './rig-preamble.ts'

const entry = (content: string) => ({ content, priority: 0, isEssential: true })
const persona = new ContextMap().with(ContextKey.SystemPersona, entry('You are Ada.'))

it('is the persona alone for an agent without skills', () => {
  expect(rigPreamble(persona)).toBe('You are Ada.')
})

it('lists skills below the persona, a line each, and nothing of the conversation', () => {
  const context = persona.with(ContextKey.ActiveSkill('a'), entry('- a: …')).with(ContextKey.ActiveSkill('b'), entry('- b: …')).with(ContextKey.UserRequest, entry('hello'))
  expect(rigPreamble(context)).toMatch(/^You are Ada\.\n\n<skills>\n.+ read that file first .+\n- a: …\n- b: …\n<\/skills>$/)
})
