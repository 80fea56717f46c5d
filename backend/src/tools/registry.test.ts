import { describe, expect, it } from 'vitest'
import { argumentNames } from './invalid-arguments.ts'
import { findTool, WORKSPACE_TOOLS } from './registry.ts'
import { toolParameters } from './tool-parameters.ts'

/** What strict validators of model providers understand in a property. */
const KEYWORDS = new Set(['type', 'description', 'enum', 'minimum', 'maximum'])

describe.each(WORKSPACE_TOOLS.map((tool) => ({ name: tool.name, tool })))('the tool $name', ({ tool }) => {
  const parameters = toolParameters(tool)

  it('is found by its name, which every provider takes', () => {
    expect(findTool(tool.name)).toBe(tool)
    expect(tool.name).toMatch(/^[a-z][a-z_]{1,63}$/)
  })

  it('describes itself and every argument', () => {
    expect(tool.description.length).toBeGreaterThan(40)
    for (const [name, schema] of Object.entries(parameters.properties)) expect(String(schema['description']).length, name).toBeGreaterThan(8)
  })

  it('has a JSON Schema that strict validators accept', () => {
    expect(Object.keys(parameters).sort()).toEqual(['additionalProperties', 'properties', 'required', 'type'])
    expect(parameters).toMatchObject({ type: 'object', additionalProperties: false })
    expect(Object.keys(parameters.properties)).toEqual(argumentNames(tool.arguments))
    expect(Object.keys(parameters.properties)).toEqual(expect.arrayContaining([...parameters.required]))
    for (const [name, schema] of Object.entries(parameters.properties)) {
      for (const keyword of Object.keys(schema)) expect(KEYWORDS, `${name}: ${keyword}`).toContain(keyword)
    }
  })

  it('lets a model that must give every argument say null for what may be absent', () => {
    for (const [name, schema] of Object.entries(parameters.properties)) {
      const type = schema['type']
      expect(type, name).toEqual(parameters.required.includes(name) ? expect.any(String) : [expect.any(String), 'null'])
      if (Array.isArray(schema['enum']) && !parameters.required.includes(name)) expect(schema['enum']).toContain(null)
    }
    const required = Object.fromEntries(parameters.required.map((name) => [name, 'x']))
    const others = Object.keys(parameters.properties).filter((name) => !parameters.required.includes(name))
    const nulls = Object.fromEntries(others.map((name) => [name, null]))
    expect(tool.arguments.parse({ ...required, ...nulls })).toEqual(tool.arguments.parse(required))
  })
})

it('keeps the names of tools apart', () => {
  expect(new Set(WORKSPACE_TOOLS.map((tool) => tool.name)).size).toBe(WORKSPACE_TOOLS.length)
})
