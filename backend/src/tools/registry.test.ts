import { describe, expect, it } from 'vitest'
import { argumentNames } from './invalid-arguments.ts'
import { findTool, WORKSPACE_TOOLS } from './registry.ts'
import { type ToolParameters, toolParameters } from './tool-parameters.ts'

/** What strict validators of model providers understand in a property. */
const KEYWORDS = new Set(['type', 'description', 'enum', 'minimum', 'maximum', 'items'])

type Schema = Readonly<Record<string, unknown>>
type ObjectSchema = Pick<ToolParameters, 'type' | 'properties' | 'required' | 'additionalProperties'>

/** A property's schema with the schemas inside it: of a list, that of its items. */
function withInner(schema: Schema): readonly Schema[] {
  const items = schema['items'] as Schema | undefined
  return [schema, ...(items === undefined ? [] : items['type'] === 'object' ? objectsIn(items as unknown as ObjectSchema).flatMap((object) => Object.values(object.properties)) : withInner(items))]
}

/** The object with those in its lists. */
function objectsIn(object: ObjectSchema): readonly ObjectSchema[] {
  const inner = Object.values(object.properties).map((schema) => schema['items'] as Schema | undefined)
  return [object, ...inner.flatMap((items) => (items?.['type'] === 'object' ? objectsIn(items as unknown as ObjectSchema) : []))]
}

/** Something that a property takes. */
function example({ type, items }: Schema): unknown {
  if (type !== 'array') return 'x'
  const { properties, required } = items as unknown as ObjectSchema
  return [(items as Schema)['type'] === 'object' ? Object.fromEntries(required.map((name) => [name, example(properties[name] ?? {})])) : 'x']
}

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

  it('B03: has a JSON Schema that strict validators accept', () => {
    expect(Object.keys(parameters.properties)).toEqual(argumentNames(tool.arguments))
    for (const object of objectsIn(parameters)) {
      expect(Object.keys(object).sort()).toEqual(['additionalProperties', 'properties', 'required', 'type'])
      expect(object).toMatchObject({ type: 'object', additionalProperties: false })
      expect(Object.keys(object.properties)).toEqual(expect.arrayContaining([...object.required]))
      for (const [name, property] of Object.entries(object.properties)) {
        for (const schema of withInner(property)) for (const keyword of Object.keys(schema)) expect(KEYWORDS, `${name}: ${keyword}`).toContain(keyword)
      }
    }
  })

  it('lets a model that must give every argument say null for what may be absent', () => {
    for (const { properties, required } of objectsIn(parameters)) {
      for (const [name, schema] of Object.entries(properties)) {
        expect(schema['type'], name).toEqual(required.includes(name) ? expect.any(String) : [expect.any(String), 'null'])
        if (Array.isArray(schema['enum']) && !required.includes(name)) expect(schema['enum']).toContain(null)
      }
    }
    const required = Object.fromEntries(parameters.required.map((name) => [name, parameters.properties[name]?.['enum'] === undefined ? example(parameters.properties[name] ?? {}) : (parameters.properties[name]['enum'] as unknown[])[0]]))
    const others = Object.keys(parameters.properties).filter((name) => !parameters.required.includes(name))
    const nulls = Object.fromEntries(others.map((name) => [name, null]))
    expect(tool.arguments.parse({ ...required, ...nulls })).toEqual(tool.arguments.parse(required))
  })
})

it('keeps the names of tools apart', () => {
  expect(new Set(WORKSPACE_TOOLS.map((tool) => tool.name)).size).toBe(WORKSPACE_TOOLS.length)
})
