import type { z } from 'zod'
import { AppError } from '../errors.ts'

/** What a model needs to repair its call: every bad argument with the reason, and the names that exist. */
export function invalidArguments(toolName: string, schema: z.ZodType, error: z.ZodError): AppError {
  const allowed = argumentNames(schema)
  const lines = error.issues.map((issue) => `- ${describe(issue)}`)
  const text = [`The arguments of ${toolName} are not valid:`, ...lines, `Allowed arguments: ${allowed.join(', ')}.`].join('\n')
  return new AppError('invalid_request', text)
}

/** The names of a tool's arguments, in the order of its schema. */
export function argumentNames(schema: z.ZodType): readonly string[] {
  return 'shape' in schema && typeof schema.shape === 'object' && schema.shape !== null ? Object.keys(schema.shape) : []
}

function describe(issue: z.core.$ZodIssue): string {
  const name = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') return `${name === '' ? '' : `${name}: `}unknown argument ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`
  return name === '' ? 'expected an object with the arguments' : `${name}: ${reason(issue)}`
}

function reason(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined && /undefined/.test(issue.message) ? `missing; must be ${article(issue.expected)}` : `must be ${article(issue.expected)}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`
    case 'too_small':
      return issue.origin === 'array' ? `must have at least ${issue.minimum} ${Number(issue.minimum) === 1 ? 'entry' : 'entries'}` : `must be at least ${issue.minimum}`
    case 'too_big':
      return issue.origin === 'array' ? `must have at most ${issue.maximum} entries` : `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters long' : ''}`
    default:
      return issue.message
  }
}

function article(expected: string): string {
  if (expected === 'int' || expected === 'number') return 'a whole number'
  if (expected === 'boolean') return 'true or false'
  if (expected === 'array') return 'a list (a JSON array)'
  if (expected === 'object') return 'an object'
  return expected === 'string' ? 'text (a JSON string)' : `a ${expected}`
}
