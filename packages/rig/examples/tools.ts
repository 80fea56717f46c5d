// Typed tools: the schema describes and checks the arguments, and types them here. Everything that happens is shown as it happens.
import { openai, tool, ToolExecutionError } from '@buildscale/rig'
import { z } from 'zod'

const add = tool({
  name: 'add',
  description: 'Adds two numbers.',
  parameters: z.object({ x: z.number(), y: z.number() }),
  call: ({ x, y }) => x + y,
})

const divide = tool({
  name: 'divide',
  description: 'Divides x by y.',
  parameters: z.object({ x: z.number(), y: z.number() }),
  call: ({ x, y }) => {
    // The model reads this sentence; any other error it would only be told of in general.
    if (y === 0) throw new ToolExecutionError('invalid_args', 'y must not be 0')
    return x / y
  },
})

const agent = openai.Client.fromEnv().agent(openai.GPT_5_2).preamble('You calculate with your tools.').tools([add, divide]).build()

for await (const item of agent.streamPrompt('What is (1 + 2) / 0, and what is 1 + 2?')) {
  if (item.type === 'toolExecutionCommitted') console.log(`${item.name}(${JSON.stringify(item.effectiveArguments)}): ${item.status}`)
  if (item.type === 'finalResponse') console.log(item.response.output)
}
