import { type } from 'arktype'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AgentBuilder } from '../agent/agent-builder.ts'
import { calls, says, ScriptedModel, toolCall } from '../testing/scripted-model.ts'
import { withoutOptionalNulls } from './optional-nulls.ts'
import { jsonSchemaOf, type SchemaLike } from './schema.ts'
import { tool, type Tool } from './tool.ts'

const given: unknown[] = []
const remember = (args: { readonly city: string; readonly days?: number | undefined }) => void given.push(args)

/** The same tool in every way that a schema can be written. */
const TOOLS: Record<string, { readonly schema: SchemaLike; readonly tool: Tool }> = {}
function add<S extends SchemaLike>(library: string, schema: S, made: Tool) {
  TOOLS[library] = { schema, tool: made }
}
const zodSchema = z.object({ city: z.string(), days: z.number().optional() })
add('zod', zodSchema, tool({ name: 'weather', description: 'Weather.', parameters: zodSchema, call: remember }))
const valibotSchema = toStandardJsonSchema(v.object({ city: v.string(), days: v.optional(v.number()) }))
add('valibot', valibotSchema, tool({ name: 'weather', description: 'Weather.', parameters: valibotSchema, call: remember }))
const arktypeSchema = type({ city: 'string', 'days?': 'number' })
add('arktype', arktypeSchema, tool({ name: 'weather', description: 'Weather.', parameters: arktypeSchema, call: remember }))

describe.each(Object.entries(TOOLS))('a tool with a schema of %s', (_library, { schema, tool: weather }) => {
  async function resultOf(args: object) {
    const model = new ScriptedModel([calls(toolCall('c1', 'weather', { ...args })), says('done')])
    await new AgentBuilder(model).tool(weather).build().run('Go')
    return JSON.stringify(model.requests[1]?.messages.at(-1))
  }

  it('tells the model a JSON Schema with an object at the top', () => {
    expect(jsonSchemaOf(schema)).toMatchObject({ type: 'object', properties: { city: { type: 'string' }, days: { type: 'number' } }, required: ['city'] })
  })

  it('gets checked arguments', async () => {
    given.length = 0
    await resultOf({ city: 'Bern', days: 2 })
    expect(given).toEqual([{ city: 'Bern', days: 2 }])
  })

  it('is not called with wrong arguments: the model is told which', async () => {
    given.length = 0
    expect(await resultOf({ city: 7 })).toMatch(/Invalid arguments for weather:.*city/)
    expect(given).toEqual([])
  })

  it('takes null for what a strict provider had to fill in', async () => {
    given.length = 0
    await resultOf({ city: 'Bern', days: null })
    expect(given).toEqual([{ city: 'Bern' }])
  })
})

describe('a schema', () => {
  it('without a JSON form is refused when the tool is made, with the way out', () => {
    const schema = v.object({ city: v.string() })
    expect(() => tool({ name: 't', description: '', parameters: schema, call: () => '' })).toThrow(/toStandardJsonSchema of @valibot\/to-json-schema/)
  })

  it('that is no object is refused', () => {
    expect(() => tool({ name: 't', description: '', parameters: z.string(), call: () => '' })).toThrow('top level is an object')
  })

  it('keeps null where null is meant', () => {
    const schema = jsonSchemaOf(z.object({ a: z.string().nullable(), b: z.string().optional(), c: z.object({ d: z.number().optional() }).optional(), e: z.array(z.object({ f: z.string().optional() })) }))
    expect(withoutOptionalNulls(schema, { a: null, b: null, c: { d: null }, e: [{ f: null }, { f: 'x' }] })).toEqual({ a: null, c: {}, e: [{}, { f: 'x' }] })
    const fits = { a: null, e: [] }
    expect(withoutOptionalNulls(schema, fits)).toBe(fits)
  })
})
