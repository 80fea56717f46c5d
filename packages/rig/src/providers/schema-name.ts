import type { OutputSchema } from '../completion/completion-request.ts'

/** The name of an output schema as OpenAI's wires take it: the given one, else its title. */
export function schemaName({ name, schema }: OutputSchema): string {
  const { title } = schema
  return (name ?? (typeof title === 'string' ? title : 'response_schema')).replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64)
}
