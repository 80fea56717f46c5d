import { describe, expect, it } from 'vitest'
import { CompletionStream } from '../../src/completion/completion-stream.ts'
import type { CompletionResponse, StreamedAssistantContent } from '../../src/completion/completion-event.ts'
import { SseDecoder } from '../../src/http/sse-decoder.ts'
import { MessagesStreamDecoder } from '../../src/providers/anthropic/messages-stream-decoder.ts'
import { ChatStreamDecoder } from '../../src/providers/openai-compatible/chat-stream-decoder.ts'
import { ResponsesStreamDecoder } from '../../src/providers/openai/responses-stream-decoder.ts'
import { readEventStream } from '../../src/providers/read-event-stream.ts'
import type { DecoderOutput, StreamDecoder } from '../../src/providers/wire.ts'
import { GRAMMARS } from './grammar.ts'
import { inMemoryResponse } from './in-memory-response.ts'
import { checkChoice, typedError } from './invariants.ts'
import { mutated, textOf } from './mutations.ts'
import { fuzz, FUZZ_TIMEOUT_MS, type Random } from './random.ts'

const WIRES = ['responses', 'chat', 'messages'] as const
type WireName = (typeof WIRES)[number]

const DECODERS: Readonly<Record<WireName, (output: DecoderOutput) => StreamDecoder>> = {
  responses: (output) => new ResponsesStreamDecoder(output),
  chat: (output) => new ChatStreamDecoder(output, { provider: 'test', thinkTags: false }),
  messages: (output) => new MessagesStreamDecoder(output),
}

/** Line ends as servers send them. */
const LINE_ENDS = ['\n', '\r\n', '\r'] as const

function eventBytes(random: Random, frames: readonly string[]): Buffer {
  const end = random.pick(LINE_ENDS)
  const noise = () => random.pick(['', '', '', `: comment${end}${end}`, `event: message${end}`, `id: 7${end}retry: 10${end}`, `data-x: no${end}`])
  return Buffer.from(frames.map((frame) => `${noise()}data:${random.pick([' ', ''])}${frame}${end}${end}`).join(''))
}

function dataOf(pieces: readonly Uint8Array[]): string[] {
  const events: string[] = []
  const decoder = new SseDecoder((data) => events.push(data))
  for (const piece of pieces) decoder.push(piece)
  decoder.end()
  return events
}

interface Reading {
  readonly items: readonly StreamedAssistantContent[]
  /** How it ended, without ids that are new each time. */
  readonly end: string
}

/** The whole way of a streamed answer, from its bytes to its consumer. */
async function reading(wire: WireName, pieces: readonly Uint8Array[]): Promise<Reading> {
  const stream = new CompletionStream((sink) => readEventStream(inMemoryResponse(pieces), { sink, decoder: DECODERS[wire], idleTimeoutMs: undefined }), { origin: { provider: 'test', api: wire, model: 'm' } })
  const items: StreamedAssistantContent[] = []
  try {
    for await (const item of stream) items.push(item)
    const response: CompletionResponse = await stream.response
    checkChoice(response.choice, wire)
    return { items, end: withoutFreshIds(response) }
  } catch (error) {
    const { kind, message } = typedError(error)
    checkChoice(stream.choice, wire)
    return { items, end: `${kind}: ${message}` }
  }
}

function withoutFreshIds(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[\da-f]{8}-[\da-f]{4}-[\da-f-]{22}/g, 'fresh')
}

describe('Events from bytes', () => {
  it('are the same wherever the bytes are cut', async () => {
    await fuzz((random) => {
      const frames = GRAMMARS[random.pick(WIRES)](random).map((frame) => (typeof frame === 'string' ? frame : textOf(frame)))
      const bytes = eventBytes(random, frames)
      expect(dataOf(random.cut(bytes))).toEqual(frames)
      return frames.length
    })
  }, FUZZ_TIMEOUT_MS)

  it('come out of any bytes, the same whether cut or not', async () => {
    await fuzz((random) => {
      const parts = random.some(20, () => random.pick([Buffer.from('data:'), Buffer.from('data: '), Buffer.from('\r'), Buffer.from('\n'), Buffer.from('\r\n'), Buffer.from('\uFEFF'), Buffer.from('🌍'), Buffer.from([0xf0, 0x9f]), Buffer.from([0]), random.bytes(30)]))
      const bytes = Buffer.concat(parts)
      expect(dataOf(random.cut(bytes))).toEqual(dataOf([bytes]))
      return Math.max(1, parts.length)
    })
  }, FUZZ_TIMEOUT_MS)
})

describe.each(WIRES)('A streamed answer on %s, from its bytes to its consumer', (wire) => {
  it('is the same wherever the bytes are cut', async () => {
    await fuzz(async (random) => {
      const frames = GRAMMARS[wire](random).map((frame) => (typeof frame === 'string' ? frame : textOf(frame)))
      const bytes = eventBytes(random, frames)
      const [cut, whole] = [await reading(wire, random.cut(bytes)), await reading(wire, [bytes])]
      expect(cut.end).toBe(whole.end)
      expect(withoutFreshIds(cut.items)).toBe(withoutFreshIds(whole.items))
      expect(whole.items.at(-1)?.type).toBe('final')
      return frames.length
    })
  }, FUZZ_TIMEOUT_MS)

  it('ends with an answer or an error of ours when events are broken and bytes are changed, lost or cut off', async () => {
    await fuzz(async (random) => {
      const frames = mutated(random, GRAMMARS[wire](random))
      const bytes = eventBytes(random, frames)
      for (let change = random.below(4); change > 0 && bytes.length > 0; change--) bytes[random.below(bytes.length)] = random.below(256)
      const kept = random.oneIn(4) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes
      const { items, end } = await reading(wire, random.cut(kept))
      expect(items.filter((item) => item.type === 'final').length).toBe(end.startsWith('{') ? 1 : 0)
      return frames.length
    })
  }, FUZZ_TIMEOUT_MS)
})
