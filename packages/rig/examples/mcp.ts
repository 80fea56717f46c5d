// The tools of an MCP server as the agent's tools. Needs @modelcontextprotocol/sdk beside this package.
import { join } from 'node:path'
import { openai, ToolServer } from '@buildscale/rig'
import { connectMcp } from '@buildscale/rig/mcp'

const server = await connectMcp({ command: process.execPath, args: [join(import.meta.dirname, 'mcp-server.ts')] }, { prefix: 'counter_' })
const tools = new ToolServer()
// Follows the server: tools that it adds later are offered from the next model call on.
server.tools.addTo(tools)
console.log(`tools: ${tools.names.join(', ')}`)

const agent = openai.Client.fromEnv().agent(openai.GPT_5_2).toolServer(tools).build()
console.log(await agent.prompt('Count up by two.'))
// Ends the server's process; without it this one would go on.
await server.close()
