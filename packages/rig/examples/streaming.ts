// Text as it is written, what it cost at the end, and Ctrl-C to stop in between.
import { openai, PromptCancelledError } from '@buildscale/rig'

const stop = new AbortController()
process.once('SIGINT', () => stop.abort('you pressed Ctrl-C'))

const agent = openai.Client.fromEnv().agent(openai.GPT_5_2).build()
const run = agent.streamPrompt('Tell me about the sea.').withSignal(stop.signal)

try {
  for await (const text of run.textStream()) process.stdout.write(text)
  const { usage } = await run.response
  console.log(`\n${usage.outputTokens} tokens`)
} catch (error) {
  if (!(error instanceof PromptCancelledError)) throw error
  console.log(`\nstopped: ${error.reason}`)
}
