import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { AGENT_FIELDS } from '../backend/src/services/agents/agent-file.ts'
import { BUILT_IN_AGENTS } from '../backend/src/services/agents/built-in-agents.ts'
import { SKILL_FIELDS } from '../backend/src/services/agents/skill-file.ts'

const page = readFileSync(new URL('agents-and-skills.md', import.meta.url), 'utf8')

/** The rows of the first table behind `marker`, without its head. */
function table(marker: string): string[][] {
  const lines = page.slice(page.indexOf(marker)).split('\n')
  const start = lines.findIndex((line) => line.startsWith('|---'))
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'))
  return lines.slice(start + 1, end).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
}

const rows = (fields: Readonly<Record<string, string>>) => Object.entries(fields).map(([name, meaning]) => [`\`${name}\``, meaning])

it('lists every setting of an agent file, and no other', () => {
  expect(table('<!-- agent settings')).toEqual(rows(AGENT_FIELDS))
})

it('lists every field of a skill file, and no other', () => {
  expect(table('<!-- skill fields')).toEqual(rows(SKILL_FIELDS))
})

it('names the agents that every workspace has, in their order', () => {
  expect(table('## Agents').map(([name]) => name)).toEqual(BUILT_IN_AGENTS.map(({ name }) => `\`${name}\``))
})
