import type { Chat } from '@buildscale/protocol'

export interface ChatListProps {
  readonly chats: readonly Chat[]
  readonly openChatId: string | undefined
  readonly onOpen: (chatId: string) => void
  readonly onNew: () => void
}

/** The chats of a workspace, newest activity first. */
export function ChatList({ chats, openChatId, onOpen, onNew }: ChatListProps) {
  return (
    <nav className="chat-list" aria-label="Chats">
      <button type="button" onClick={onNew}>New chat</button>
      <ul>
        {chats.map((chat) => (
          <li key={chat.id}>
            <button type="button" className="link" aria-current={chat.id === openChatId} onClick={() => onOpen(chat.id)}>
              {chat.title}
              {chat.status !== 'idle' && <span className="status"> {chat.status}</span>}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  )
}
