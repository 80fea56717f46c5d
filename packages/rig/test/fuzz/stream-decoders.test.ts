import { describe, expect, it } from 'vitest'
import { STREAM_DECODERS, type DecoderName, type StreamUnderTest } from './decoders.ts'
import { GRAMMARS } from './grammar.ts'
import { checkStream, typedError } from './invariants.ts'
import { junk, mutated, textOf } from './mutations.ts'
import { fuzz, FUZZ_TIMEOUT_MS, Random } from './random.ts'

const NAMES = ['responses', 'chat', 'think tags', 'messages'] as const
const apiOf = (name: DecoderName) => (name === 'think tags' ? 'chat' : name)

/** Pushes until the end or an error, which has to be one of ours. */
function feed(stream: StreamUnderTest, frames: readonly string[]): void {
  try {
    for (const frame of frames) stream.push(frame)
    stream.end()
  } catch (error) {
    typedError(error)
  }
}

describe.each(NAMES)('The decoder of streams: %s', (name) => {
  it('reads every valid answer to its end', async () => {
    await fuzz((random) => {
      const frames = GRAMMARS[name](random).map(textOf).map((text) => (text === '"[DONE]"' ? '[DONE]' : text))
      const stream = STREAM_DECODERS[name]()
      for (const frame of frames) stream.push(frame)
      const result = stream.result()
      expect(result.isFinished).toBe(true)
      checkStream(result, apiOf(name))
      return frames.length
    })
  }, FUZZ_TIMEOUT_MS)

  it('makes something well-formed, or an error of ours, of answers that are broken anywhere', async () => {
    await fuzz((random) => {
      const frames = mutated(random, GRAMMARS[name](random))
      const stream = STREAM_DECODERS[name]()
      feed(stream, frames)
      checkStream(stream.result(), apiOf(name))
      return frames.length
    })
  }, FUZZ_TIMEOUT_MS)

  it('makes something well-formed, or an error of ours, of events of other wires and of junk', async () => {
    await fuzz((random) => {
      const foreign = mutated(random, GRAMMARS[random.pick(NAMES)](random))
      const frames = foreign.map((frame) => (random.oneIn(5) ? textOf(junk(random)) : random.oneIn(9) ? random.bytes(40).toString('utf8') : frame))
      const stream = STREAM_DECODERS[name]()
      feed(stream, frames)
      checkStream(stream.result(), apiOf(name))
      return frames.length
    })
  }, FUZZ_TIMEOUT_MS)

  it('reads an answer of a hundred thousand events in a moment', () => {
    const random = new Random(7)
    const frames: string[] = []
    while (frames.length < 100_000) frames.push(...GRAMMARS[name](random).slice(0, -4).map(textOf))
    const started = process.cpuUsage()
    const stream = STREAM_DECODERS[name]()
    feed(stream, frames)
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(10_000)
    expect(stream.result().finals).toHaveLength(0)
  })
})
