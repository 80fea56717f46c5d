import { ENDPOINTS, type Endpoint, errorBody, replaceParameters } from '@buildscale/protocol'
import { z } from 'zod'
import { API_PREFIX } from './route-table.ts'
import { JsonSchemas, type Json } from './json-schemas.ts'

/** The whole API as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1), made from the endpoint table. `version`: of the server. */
export function openApiDocument(version: string): Record<string, unknown> {
  const schemas = new JsonSchemas()
  const error = { description: 'Anything but success.', content: jsonContent(schemas.of(errorBody, 'output')) }
  const paths: Record<string, Record<string, unknown>> = {}
  for (const endpoint of ENDPOINTS) {
    const path = API_PREFIX + replaceParameters(endpoint.path, (name) => `{${name}}`)
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operation(endpoint, schemas) }
  }
  return {
    openapi: '3.1.1',
    info: { title: 'BuildScale', version, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: schemas.named(),
      responses: { Error: error },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' }, session: { type: 'apiKey', in: 'cookie', name: 'buildscale_session' } },
    },
  }
}

function operation(endpoint: Endpoint, schemas: JsonSchemas): Json {
  return {
    operationId: endpoint.name,
    summary: endpoint.summary,
    security: endpoint.access === 'none' ? [] : [{ token: [] }, { session: [] }],
    parameters: [...parameters('path', endpoint.params), ...parameters('query', endpoint.query), ...(endpoint.method === 'POST' ? [IDEMPOTENCY_KEY] : [])],
    ...requestBody(endpoint, schemas),
    responses: { [endpoint.status]: { description: endpoint.summary, ...responseContent(endpoint, schemas) }, default: { $ref: '#/components/responses/Error' } },
  }
}

const IDEMPOTENCY_KEY = { name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', minLength: 1, maxLength: 255 } }

function parameters(place: 'path' | 'query', schema: z.ZodType): readonly Json[] {
  if (!(schema instanceof z.ZodObject)) return []
  return Object.entries(schema.shape).map(([name, field]) => {
    const required = place === 'path' || !z.safeParse(field, undefined).success
    return { name, in: place, required, schema: new JsonSchemas().of(field, 'input') }
  })
}

function requestBody(endpoint: Endpoint, schemas: JsonSchemas): Json {
  if (endpoint.bodyKind === 'none') return {}
  if (endpoint.bodyKind === 'bytes') return { requestBody: { required: true, content: { 'application/octet-stream': {} } } }
  return { requestBody: { required: !endpoint.body.safeParse({}).success, content: jsonContent(schemas.of(endpoint.body, 'input')) } }
}

function responseContent(endpoint: Endpoint, schemas: JsonSchemas): Json {
  switch (endpoint.responseKind) {
    case 'json':
      return { content: jsonContent(schemas.of(endpoint.response, 'output')) }
    case 'bytes':
      return { content: { 'application/octet-stream': {} } }
    case 'events':
      return { content: { 'text/event-stream': { schema: { type: 'string' } } } }
    case 'empty':
      return {}
  }
}

function jsonContent(schema: Json): Json {
  return { 'application/json': { schema } }
}
