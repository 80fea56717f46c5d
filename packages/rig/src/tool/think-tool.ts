import { isJsonObject } from '../completion/json.ts'
import { tool, type Tool } from './tool.ts'

/** The arguments of `think`. */
export interface ThinkArguments {
  readonly thought: string
}

const PARAMETERS = {
  jsonSchema: {
    type: 'object',
    properties: { thought: { type: 'string', description: 'What to think about' } },
    required: ['thought'],
    additionalProperties: false,
  },
  validate: (value: unknown): ThinkArguments => {
    const thought = isJsonObject(value) ? value['thought'] : undefined
    if (typeof thought !== 'string') throw new TypeError('thought: expected a string')
    return { thought }
  },
}

/**
 * A tool named `think` that does nothing: its argument is its result. It gives models that do not reason by themselves a place to do so between
 * other calls.
 */
export function thinkTool(): Tool<ThinkArguments, string> {
  return tool({
    name: 'think',
    description: 'Write down a thought before going on: to plan, to weigh results, or to check a rule. Changes nothing and finds nothing new.',
    parameters: PARAMETERS,
    call: ({ thought }) => thought,
  })
}
