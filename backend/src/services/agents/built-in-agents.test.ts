import { describe, expect, it } from 'vitest'
import { findTool, TOOL_NAMES } from '../../tools/registry.ts'
import { parseAgentFile } from './agent-file.ts'
import { BUILT_IN_AGENTS, builtInDefinition, builtInFile } from './built-in-agents.ts'

const rules = { tools: TOOL_NAMES, modelFault: () => undefined }
const toolsOf = (name: string) => BUILT_IN_AGENTS.find((agent) => agent.name === name)?.tools ?? []

describe('the built-in agents', () => {
  it('name only tools that there are', () => {
    const unknown = BUILT_IN_AGENTS.flatMap(({ tools }) => tools ?? []).filter((name) => findTool(name) === undefined)
    expect(unknown).toEqual([])
  })

  it('keep their word: the reviewer changes nothing, the planner nothing but plans and memories', () => {
    const changing = (name: string) => toolsOf(name).filter((tool) => findTool(tool)?.effect === 'write')
    expect(changing('reviewer')).toEqual([])
    expect(changing('planner')).toEqual(['plan_write', 'plan_edit', 'memory_set', 'memory_delete'])
  })

  it.each(BUILT_IN_AGENTS.map((agent) => [agent.name, agent] as const))('%s as a file is the same agent', (name, agent) => {
    const builtIn = builtInDefinition(agent, TOOL_NAMES)
    const path = `/system/agents/${name}/AGENT.md`
    const { definition, errors, warnings } = parseAgentFile({ text: builtInFile(builtIn), path, folder: name, version: 1 }, rules)
    expect({ errors, warnings, definition }).toEqual({ errors: [], warnings: [], definition: { ...builtIn, path, version: 1 } })
  })
})
