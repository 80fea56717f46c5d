import { memo, type ReactNode } from 'react'
import type { ViewMessage, ViewPart } from '../state/chat-reducer.ts'
import { ToolCallView } from './tool-call-view.tsx'

/** One message. It changes only when its value does, so that a long chat does not re-render with every word. */
export const MessageView = memo(function MessageView({ message }: { readonly message: ViewMessage }) {
  const isStreaming = message.status === 'streaming'
  return (
    <article className={`message ${message.role}`} aria-label={message.role === 'user' ? 'Your message' : 'Answer'} aria-busy={isStreaming}>
      {message.parts.map((part) => (
        <PartView key={part.id} part={part} />
      ))}
      {isStreaming && message.parts.length === 0 && <p className="note">Working …</p>}
      {message.status === 'stopped' && <p className="note">Stopped.</p>}
      {message.status === 'error' && <p className="problem">{message.error ?? 'The turn failed.'}</p>}
    </article>
  )
})

function PartView({ part }: { readonly part: ViewPart }): ReactNode {
  switch (part.type) {
    case 'text':
      return <p className="text">{part.text}</p>
    case 'reasoning':
      return <p className="thought">{part.text}</p>
    case 'file':
      return (
        <p className="note">
          {part.path} (version {part.version})
        </p>
      )
    case 'tool_call':
      return <ToolCallView call={part} />
  }
}
