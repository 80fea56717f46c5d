import type { BuildScaleClient } from '@buildscale/sdk'
import { type ReactNode, useEffect, useRef } from 'react'
import { type ConnectionState, useChat } from '../state/use-chat.ts'
import { Composer } from './composer.tsx'
import { MessageView } from './message-view.tsx'

export interface ChatViewProps {
  readonly client: BuildScaleClient
  readonly workspaceId: string
  readonly chatId: string
  /** Called when a turn of this chat has changed files. */
  readonly onFilesChanged: () => void
  /** Called when a turn begins or ends. */
  readonly onActivity: () => void
  /** Stands above the composer. */
  readonly children?: ReactNode
}

const CONNECTION_TEXT = {
  loading: 'Loading …',
  live: 'Live',
  reconnecting: 'Connection lost, trying again …',
  failed: 'Not connected',
} as const satisfies Record<ConnectionState, string>

/** One chat: its messages as they come, and the composer. */
export function ChatView({ client, workspaceId, chatId, onFilesChanged, onActivity, children }: ChatViewProps) {
  const { state, connection, error } = useChat(client, { workspaceId, chatId })
  const chats = client.chats(workspaceId)
  useEffect(onFilesChanged, [state.fileChanges, onFilesChanged])
  useEffect(onActivity, [state.runningTurnId, onActivity])
  const end = useFollowedEnd(state.messages)
  return (
    <section className="chat" aria-label="Chat">
      <p className={`connection ${connection}`} role="status">{CONNECTION_TEXT[connection]}</p>
      {error !== null && <p role="alert" className="problem">{error}</p>}
      <div className="messages" aria-live="polite">
        {connection !== 'loading' && state.messages.length === 0 && error === null && <p className="empty">Nothing here yet. Ask for something, for example “list the files” or “write hello to /notes.md”.</p>}
        {state.messages.map((message) => (
          <MessageView key={`${message.role} ${message.turnId ?? message.id}`} message={message} />
        ))}
        <div ref={end} />
      </div>
      <Composer
        isRunning={state.runningTurnId !== null}
        onSend={async (content) => void (await chats.send(chatId, { content }))}
        onStop={async () => void (await chats.stop(chatId))}
      >
        {children}
      </Composer>
    </section>
  )
}

/** Keeps the newest text in view, unless the person has scrolled up to read. */
function useFollowedEnd(messages: unknown) {
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const list = end.current?.parentElement
    if (list === null || list === undefined) return
    const isNearEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 200
    if (isNearEnd) list.scrollTop = list.scrollHeight
  }, [messages])
  return end
}
