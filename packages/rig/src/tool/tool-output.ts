import type { Json } from '../completion/json.ts'
import type { ImagePart, ToolResultContent } from '../completion/message-types.ts'
import type { ToolExecutionError } from './tool-error.ts'

/** Several blocks as one result; a tool that returns anything else gets it encoded by `toolResultContent`. */
export class ToolOutput {
  readonly type = 'output'
  readonly content: readonly ToolResultContent[]

  private constructor(content: readonly ToolResultContent[]) {
    this.content = content
  }

  static text(text: string): ToolOutput {
    return new ToolOutput([{ type: 'text', text }])
  }

  static json(value: Json): ToolOutput {
    return new ToolOutput([{ type: 'json', value }])
  }

  static image(part: ImagePart): ToolOutput {
    return new ToolOutput([part])
  }

  /** Throws `TypeError` without a block: several servers refuse an empty result. */
  static of(...content: readonly ToolResultContent[]): ToolOutput {
    if (content.length === 0) throw new TypeError('A tool output needs at least one block')
    return new ToolOutput(content)
  }
}

/** How a call ended. `raw` is what the tool returned; `error` is for the operator, `content` for the model. */
export interface ToolCallOutcome {
  readonly status: 'success' | 'error' | 'denied' | 'skipped'
  readonly content: readonly ToolResultContent[]
  readonly raw?: unknown
  readonly error?: ToolExecutionError
}

/** Shown when a tool returns nothing: an empty result is refused by several servers. */
const NO_OUTPUT = '(no output)'

/** A returned value as the model sees it: strings literally, `ToolOutput` as it is, everything else as JSON text. */
export function toolResultContent(value: unknown): readonly ToolResultContent[] {
  if (value instanceof ToolOutput) return value.content
  return [{ type: 'text', text: typeof value === 'string' ? value || NO_OUTPUT : (value === null ? undefined : JSON.stringify(value)) ?? NO_OUTPUT }]
}

/** The outcome of a call whose tool returned `value`. */
export function successOutcome(value: unknown): ToolCallOutcome {
  return { status: 'success', content: toolResultContent(value), raw: value }
}

/** The outcome of a call that failed with `error`. */
export function errorOutcome(error: ToolExecutionError): ToolCallOutcome {
  return { status: error.refusal ? 'denied' : 'error', content: [{ type: 'text', text: error.modelFeedback }], error }
}

/** The outcome of a call that a hook or a person kept from running; `reason` is what the model is told. */
export function skippedOutcome(reason: string): ToolCallOutcome {
  return { status: 'skipped', content: [{ type: 'text', text: reason }] }
}
