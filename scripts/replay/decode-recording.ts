import { Message } from '@buildscale/rig'
import { answerOf, turnOf } from './answer-record.ts'
import { checkAnswer, checkFailure, checkValues } from './check-exchange.ts'
import type { Difference } from './compare-json.ts'
import { lookUp } from './execute-lookup.ts'
import { askModel } from './execute-run.ts'
import type { Exchange } from './load-recording.ts'
import type { ReadExchange } from './read-exchange.ts'
import { RecordingServer } from './recording-server.ts'
import type { ScenarioOptions, ScenarioResult } from './run-scenario.ts'
import { Watchdog } from './watchdog.ts'

/** Has the runtime read every recorded answer, whatever was asked, and compares what it understood. */
export async function decodeRecording(exchanges: readonly Exchange[], read: readonly ReadExchange[], options: ScenarioOptions): Promise<ScenarioResult> {
  const mismatches: ScenarioResult['mismatches'][number][] = []
  for (const [index, exchange] of exchanges.entries()) {
    const understood = read[index]
    if (understood === undefined) continue
    const differences = await decodeAnswer(exchange, understood, options)
    mismatches.push(...differences.map((difference) => ({ exchange: index, ...difference })))
  }
  return { isCallerInput: false, mismatches }
}

async function decodeAnswer(exchange: Exchange, { request, reading }: ReadExchange, { makeModel, timeoutMs }: ScenarioOptions): Promise<readonly Difference[]> {
  const { settings, isStreaming } = request
  await using server = await RecordingServer.start({ exchanges: [exchange], next: () => 0, received: () => undefined })
  const watchdog = new Watchdog(timeoutMs)
  let differences: readonly Difference[] = []
  const ask = async () => {
    try {
      if (request.lookup !== undefined) {
        // The service has its reasons to refuse some texts, the runtime too.
        const lookup = request.lookup.type === 'embeddings' ? { ...request.lookup, texts: request.lookup.texts.map((_, index) => String(index)) } : request.lookup
        differences = checkValues(reading, await lookUp({ lookup, settings, origin: server.origin, signal: watchdog.signal }))
        return
      }
      const anything = { messages: [Message.user('What was recorded?')], ...(settings.maxTokens === undefined ? {} : { maxTokens: settings.maxTokens }) }
      const { response, streamedText } = await askModel(makeModel(settings, server.origin), anything, { isStreaming, signal: watchdog.signal })
      differences = checkAnswer(reading, answerOf(turnOf(response)), streamedText)
    } catch (error) {
      differences = checkFailure(reading, error)
    }
  }
  const isStuck = await watchdog.watch(ask())
  return isStuck ? [{ path: 'answer', expected: 'an end', actual: `nothing went on for ${timeoutMs} ms` }] : differences
}
