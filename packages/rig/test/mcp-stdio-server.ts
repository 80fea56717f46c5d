/** The server of `mcp-tools-server.ts` as a program; with `deaf` it stays when its input ends and when it is asked to go, with `mute` it says nothing. */
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { ToolsServer } from './mcp-tools-server.ts'

// Should a test fail to end it, it ends by itself.
const stay = () => setTimeout(() => process.exit(1), 15_000)

if (process.argv.includes('deaf')) {
  process.on('SIGTERM', () => undefined)
  stay()
}
if (process.argv.includes('mute')) stay()
else await new ToolsServer(() => process.exit(1)).server.connect(new StdioServerTransport())
