/** The arguments of `buildscale-model-sim`. */
import { parseArgs } from 'node:util'
import { MODES, type ModelSimMode } from './model-names.ts'

export const HELP = `buildscale-model-sim: a server that speaks providers' wire protocols, without a model.

OpenAI's POST /v1/responses, /v1/chat/completions and /v1/embeddings, and Anthropic's POST /v1/messages.

  --port N          port to listen on; 0, the default, lets the system choose
  --host ADDRESS    address to listen on (127.0.0.1)
  --mode MODE       rules: the offline model (default) · scripted: answers from --script (default with it) · load: fast synthetic answers
  --script FILE     JSON file with a script: { "turns": [{ "text": "Hello" }, …] }; the format is described in packages/model-sim/src/script.ts
  --models NAMES    accepted model names, separated by commas, or "any"
  --api-key KEY     refuse requests without this key (401)
  --event-delay MS  pause between the offline model's events
  --help            this text

GET /__requests returns what was received, DELETE /__requests forgets it.
The model name load:text:N streams N deltas, load:text:N:R at R a second, load:steps:K makes K tool steps.`

export interface CommandLine {
  readonly type: 'serve'
  readonly port: number
  readonly host: string
  readonly mode: ModelSimMode | undefined
  readonly script: string | undefined
  readonly models: readonly string[] | 'any' | undefined
  readonly apiKey: string | undefined
  readonly eventDelayMs: number
}

/** Arguments that make no sense; the message says which and what would. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** @throws UsageError */
export function parseCommandLine(args: readonly string[]): CommandLine | { readonly type: 'help' } {
  const values = readFlags(args)
  if (values.help === true) return { type: 'help' }
  const mode = MODES.find((known) => known === values.mode)
  if (values.mode !== undefined && mode === undefined) throw new UsageError(`--mode is one of ${MODES.join(', ')}, not "${values.mode}"`)
  if (mode === 'scripted' && values.script === undefined) throw new UsageError('--mode scripted needs --script FILE')
  return {
    type: 'serve',
    port: wholeNumber('--port', { text: values.port ?? '0', maximum: 65_535 }),
    host: values.host ?? '127.0.0.1',
    mode,
    script: values.script,
    models: values.models === undefined || values.models === 'any' ? values.models : values.models.split(','),
    apiKey: values['api-key'],
    eventDelayMs: wholeNumber('--event-delay', { text: values['event-delay'] ?? '0', maximum: 60_000 }),
  }
}

function readFlags(args: readonly string[]) {
  const options = {
    port: { type: 'string' },
    host: { type: 'string' },
    mode: { type: 'string' },
    script: { type: 'string' },
    models: { type: 'string' },
    'api-key': { type: 'string' },
    'event-delay': { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const
  try {
    return parseArgs({ args: [...args], options, strict: true }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function wholeNumber(flag: string, { text, maximum }: { readonly text: string; readonly maximum: number }): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number <= maximum) return number
  throw new UsageError(`${flag} takes a whole number from 0 to ${maximum}, not "${text}"`)
}
