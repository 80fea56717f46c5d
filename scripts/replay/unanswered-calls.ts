import type { ReadExchange } from './read-exchange.ts'

/**
 * Why a request cannot be a real one: a result without its call, or a call without its result. Providers refuse both, so something is
 * missing or out of place in a recording that has them. `undefined` when all is well.
 */
export function unansweredCall({ request, reading, reader }: ReadExchange): string | undefined {
  const { entries, settings, previousResponseId } = request
  const isKeptByServer = previousResponseId !== undefined || 'conversation' in settings.params
  if (reading.type !== 'answer' || isKeptByServer) return undefined
  // These wires want results right behind their calls.
  const isStrict = settings.client.wire !== 'responses'
  const open = new Set<string>()
  for (const entry of entries) {
    if (entry.role === 'result') {
      if (!open.delete(entry.callId ?? '')) return `it holds a result of the call ${entry.callId ?? ''}, which is not before it`
    } else if (entry.role === 'assistant') {
      for (const message of reader.messages([entry])) {
        if (message.role === 'assistant') for (const part of message.content) if (part.type === 'tool_call') open.add(part.id)
      }
    } else if (isStrict && open.size > 0) break
  }
  const [left] = open
  return left === undefined ? undefined : `it holds the call ${left} without its result`
}
