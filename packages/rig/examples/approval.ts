// A call that a person has to approve, with the run waiting in a file and nothing in memory:
//   node approval.ts ask run.json        suspends, and says what is waiting
//   node approval.ts approve run.json    goes on, in another process, on another day
//   node approval.ts refuse run.json
import { readFileSync, writeFileSync } from 'node:fs'
import { openai, PromptSuspendedError, tool, type AgentRunJson, type ToolCallDecision } from '@buildscale/rig'
import { z } from 'zod'

const [command = 'ask', file = 'run.json'] = process.argv.slice(2)

const pay = tool({
  name: 'pay',
  description: 'Pays an amount in euros.',
  parameters: z.object({ to: z.string(), amount: z.number() }),
  call: ({ to, amount }) => `Paid ${amount} EUR to ${to}.`,
})

const agent = openai.Client.fromEnv().agent(openai.GPT_5_2).tool(pay)
  .hook({ onToolCall: (_ctx, { name }) => (name === 'pay' ? { type: 'suspend', reason: 'payments need a person' } : undefined) })
  .build()

if (command === 'ask') await ask()
else await decide(command === 'approve' ? { type: 'run' } : { type: 'skip', reason: 'The user refused the payment.' })

async function ask(): Promise<void> {
  try {
    console.log(await agent.prompt('Pay the 20 euros that I owe to Bob.'))
  } catch (error) {
    if (!(error instanceof PromptSuspendedError)) throw error
    writeFileSync(file, JSON.stringify(error.run))
    for (const call of error.pending) console.log(`waiting: ${call.function.name}(${JSON.stringify(call.function.arguments)})`)
  }
}

async function decide(decision: ToolCallDecision): Promise<void> {
  const run: AgentRunJson = JSON.parse(readFileSync(file, 'utf8'))
  const waiting = run.state.type === 'executingTools' ? run.state.calls : []
  const decisions = Object.fromEntries(waiting.map(({ toolCall }) => [toolCall.id, decision]))
  const { output } = await agent.resume(run, { decisions }).response
  console.log(output)
}
