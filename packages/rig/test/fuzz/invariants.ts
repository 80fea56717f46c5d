import { expect } from 'vitest'
import { CompletionError, isRigError, type AssistantContent, type CompletionRequest } from '../../src/index.ts'
import type { AnyMessage } from '../../src/completion/message-types.ts'
import type { RequestBody } from '../../src/http/transport.ts'
import { parseMessage } from '../../src/completion/parse-message.ts'
import { RequestEncoder as MessagesEncoder } from '../../src/providers/anthropic/encode-request.ts'
import { OPENAI_DIALECT, PLAIN_DIALECT } from '../../src/providers/openai-compatible/chat-dialect.ts'
import { ChatRequestEncoder } from '../../src/providers/openai-compatible/encode-chat-request.ts'
import { RequestEncoder as ResponsesEncoder } from '../../src/providers/openai/encode-request.ts'
import { bodyText } from '../body-text.ts'
import type { DecodedStream } from './decoders.ts'

const origin = (provider: string, api: string) => ({ provider, api, model: 'm' })

/** The encoder of every provider, by the API whose own answers it replays in full. */
const ENCODERS: Readonly<Record<string, { encode(request: CompletionRequest, options: { readonly isStreaming: boolean }): RequestBody }>> = {
  responses: new ResponsesEncoder({ origin: origin('openai', 'responses'), systemInstructions: 'instructions', strictTools: undefined, replayPhase: true, itemForm: 'full', serverState: false }),
  chat: new ChatRequestEncoder({ origin: origin('openai', 'chat'), dialect: { ...OPENAI_DIALECT, replayReasoning: 'reasoning_details' }, strictTools: undefined }),
  plain: new ChatRequestEncoder({ origin: origin('plain', 'chat'), dialect: { ...PLAIN_DIALECT, toolIdFormat: /^[a-zA-Z0-9]{9}$/ }, strictTools: undefined }),
  messages: new MessagesEncoder({ origin: origin('anthropic', 'messages'), replayIsError: true, replayUnsignedThinking: true }),
}
const OWN_ORIGINS = { responses: origin('openai', 'responses'), chat: origin('openai', 'chat'), messages: origin('anthropic', 'messages') } as const

/** What a decoder threw has to be an error of ours. Gives it back. */
export function typedError(error: unknown): CompletionError {
  if (error instanceof CompletionError && isRigError(error)) return error
  throw new Error(`Not a typed error: ${error instanceof Error ? error.stack : String(error)}`, { cause: error })
}

/** What holds of every stream, however broken it was. */
export function checkStream({ items, finals, choice, isFinished }: DecodedStream, api: keyof typeof OWN_ORIGINS): void {
  expect(finals.length).toBe(isFinished ? 1 : 0)
  for (const final of finals) for (const tokens of Object.values(final.usage)) expect(typeof tokens).toBe('number')
  for (const item of items) {
    if (item.type === 'text' && (typeof item.text !== 'string' || item.text === '')) throw new Error('A delta of no text')
    if (item.type === 'warning') typedError(item.error)
  }
  const handed = items.flatMap((item) => (item.type === 'tool_call' ? [item.toolCall] : []))
  if (isFinished) expect(handed).toEqual(choice.filter((part) => part.type === 'tool_call'))
  checkChoice(choice, api)
}

/** An answer is well-formed, can be stored and read again, and goes to every provider. */
export function checkChoice(choice: readonly AssistantContent[], api: keyof typeof OWN_ORIGINS): void {
  const ids = new Set<string>()
  for (const part of choice) {
    checkPart(part)
    if (part.type !== 'tool_call') continue
    if (part.id === '' || ids.has(part.id)) throw new Error(`A call with the id "${part.id}", which is empty or taken`)
    ids.add(part.id)
  }
  const message: AnyMessage = { role: 'assistant', content: choice, origin: OWN_ORIGINS[api] }
  const stored: unknown = JSON.parse(JSON.stringify(message))
  parseMessage(stored)
  for (const encoder of Object.values(ENCODERS)) checkEncoding(encoder, message)
}

function checkEncoding(encoder: (typeof ENCODERS)[string], message: AnyMessage): void {
  try {
    JSON.parse(bodyText(encoder.encode({ messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }, message] }, { isStreaming: true })))
  } catch (error) {
    typedError(error)
  }
}

function checkPart(part: AssistantContent): void {
  const isString = (value: unknown): boolean => typeof value === 'string'
  const isRight = (): boolean => {
    switch (part.type) {
      case 'text': return isString(part.text)
      case 'reasoning': return part.content.every((entry) => isString(entry.type === 'text' || entry.type === 'summary' ? entry.text : entry.data))
      case 'tool_call': return isString(part.id) && isString(part.function.name) && typeof part.function.arguments === 'object' && !Array.isArray(part.function.arguments) && (part.provider === undefined || isString(part.provider.callId))
      case 'provider_item': return isString(part.provider) && part.raw !== undefined
      case 'image': return false
    }
  }
  if (!isRight()) throw new Error(`A part that is none: ${JSON.stringify(part)}`)
}
