import { ENDPOINTS } from '@buildscale/protocol'
import { expect, it } from 'vitest'
import { openApiDocument } from './open-api.ts'

const document = JSON.parse(JSON.stringify(openApiDocument('1.2.3'))) as Record<string, unknown>

/** Every object of the document with the way to it. */
function* walk(value: unknown, way: readonly string[] = []): Generator<{ way: readonly string[]; object: Record<string, unknown> }> {
  if (typeof value !== 'object' || value === null) return
  yield { way, object: value as Record<string, unknown> }
  for (const [key, inner] of Object.entries(value)) yield* walk(inner, [...way, key])
}

function resolve(reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document)
}

it('says what it is', () => {
  expect(document).toMatchObject({ openapi: '3.1.1', info: { title: 'BuildScale', version: '1.2.3' } })
})

it('has one operation for every endpoint, with its parameters, body and answers', () => {
  const paths = document['paths'] as Record<string, Record<string, { operationId: string; parameters: { name: string; in: string; required: boolean }[]; requestBody?: unknown; responses: Record<string, unknown> }>>
  const operations = Object.values(paths).flatMap((item) => Object.values(item))
  expect(operations.map(({ operationId }) => operationId).sort()).toEqual(ENDPOINTS.map(({ name }) => name).sort())
  for (const endpoint of ENDPOINTS) {
    const path = `/api/v1${endpoint.path.replace(/:(\w+)/g, '{$1}')}`
    const operation = paths[path]?.[endpoint.method.toLowerCase()]
    const declared = operation?.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`)
    expect(declared, path).toEqual(path.match(/\{\w+\}/g) ?? [])
    expect(Object.keys(operation?.responses ?? {}), path).toEqual([String(endpoint.status), 'default'])
    expect(operation?.requestBody !== undefined, path).toBe(endpoint.bodyKind !== 'none')
  }
})

it('tells required query parameters from optional ones', () => {
  const paths = document['paths'] as Record<string, Record<string, { parameters: object[] }>>
  expect(paths['/api/v1/workspaces/{w}/files/content']?.['get']?.parameters).toMatchObject([
    { name: 'w', in: 'path', required: true },
    { name: 'path', in: 'query', required: true },
    { name: 'version', in: 'query', required: false, schema: { type: 'string' } },
  ])
})

it('refers only to what it holds', () => {
  const references = [...walk(document)].flatMap(({ object }) => (typeof object['$ref'] === 'string' ? [object['$ref']] : []))
  expect(references.length).toBeGreaterThan(20)
  for (const reference of references) expect(resolve(reference), reference).toBeDefined()
})

it('names the shapes that clients know by name, once', () => {
  const { schemas } = document['components'] as { schemas: Record<string, { properties?: object; anyOf?: unknown; oneOf?: unknown }> }
  expect(Object.keys(schemas)).toEqual(expect.arrayContaining(['Chat', 'ErrorBody', 'FileEntry', 'FileVersion', 'Message', 'Part', 'Turn', 'User', 'Workspace']))
  for (const [name, schema] of Object.entries(schemas)) expect(schema.properties ?? schema.oneOf ?? schema.anyOf, name).toBeDefined()
  const definitions = [...walk(document)].filter(({ object, way }) => ('$defs' in object || '$schema' in object || '$id' in object) && way.at(-1) !== 'properties')
  expect(definitions).toEqual([])
})
