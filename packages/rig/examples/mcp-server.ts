// A small MCP server over standard input and output, for mcp.ts.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { z } from 'zod'

const server = new McpServer({ name: 'counter', version: '1.0.0' })
let count = 0
server.registerTool('count', { description: 'Counts up and says where it is.', inputSchema: { by: z.number() } }, ({ by }) => {
  count += by
  return { content: [{ type: 'text', text: `The counter is at ${count}.` }] }
})

await server.connect(new StdioServerTransport())
