// A conversation that begins with one provider and goes on with another: tool calls, results and texts travel, what only their author understands does not.
// Needs the keys of both: OPENAI_API_KEY and ANTHROPIC_API_KEY (or OPENAI_BASE_URL and ANTHROPIC_BASE_URL).
import { createModel, AgentBuilder, tool, type Message } from '@buildscale/rig'

const clock = tool({ name: 'clock', description: 'Tells the time.', call: () => 'half past nine' })
const agent = new AgentBuilder(createModel('openai:gpt-5.2')).preamble('You are brief.').tool(clock).build()
const history: Message[] = []

console.log(await agent.chat('What time is it?', history))
console.log(await agent.chat('And an hour later?', history).withModel(createModel('anthropic:claude-sonnet-4-6')))
for (const message of history) if (message.role === 'assistant') console.log(`${message.origin?.provider}: ${message.content.map(({ type }) => type).join(', ')}`)
