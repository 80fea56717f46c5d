import type { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import type { McpClient } from './mcp-client.ts'

/** A client has one handler per kind of notification; several sets of tools may hang on one client. */
const LISTENERS = new WeakMap<McpClient, Set<() => void>>()

/** Calls `listener` whenever the server says that its list of tools changed; returns the function that ends this. */
export function onListChanged(client: McpClient, schema: typeof ToolListChangedNotificationSchema, listener: () => void): () => void {
  const listeners = LISTENERS.get(client) ?? new Set()
  if (listeners.size === 0) {
    LISTENERS.set(client, listeners)
    client.setNotificationHandler(schema, () => {
      for (const told of listeners) told()
    })
  }
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0 || LISTENERS.get(client) !== listeners) return
    LISTENERS.delete(client)
    client.removeNotificationHandler('notifications/tools/list_changed')
  }
}
