import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { argumentNames } from '../backend/src/tools/invalid-arguments.ts'
import { WORKSPACE_TOOLS } from '../backend/src/tools/registry.ts'

const page = readFileSync(new URL('tools.md', import.meta.url), 'utf8')
const sections = new Map(page.split(/^## /m).slice(1).map((section) => [section.slice(1, section.indexOf('`', 1)), section]))

describe('the page about tools', () => {
  it('has a section for every tool, in their order, and no other', () => {
    expect([...sections.keys()]).toEqual(WORKSPACE_TOOLS.map((tool) => tool.name))
  })

  it.each(WORKSPACE_TOOLS.map((tool) => ({ name: tool.name, tool })))('tells the effect, the arguments, the result and the errors of $name', ({ tool }) => {
    const section = sections.get(tool.name) ?? ''
    expect(/^Effect: `(\w+)`/m.exec(section)?.[1]).toBe(tool.effect)
    expect([...section.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1])).toEqual(argumentNames(tool.arguments))
    expect(section).toMatch(/^Result: /m)
    expect(section).toMatch(/^Errors: /m)
  })
})
