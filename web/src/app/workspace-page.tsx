import type { Agent, Chat, User, Workspace } from '@buildscale/protocol'
import type { BuildScaleClient } from '@buildscale/sdk'
import { useCallback, useEffect, useState } from 'react'
import { AgentSelect } from '../features/agents/agent-select.tsx'
import { useAgents } from '../features/agents/use-agents.ts'
import { ChatList } from '../features/chat/components/chat-list.tsx'
import { ChatView } from '../features/chat/components/chat-view.tsx'
import { FilesPanel } from '../features/files/files-panel.tsx'
import { readPageState, writePageState } from '../lib/page-state.ts'
import { describeError } from '../lib/sdk.ts'
import { ModelNote } from './model-note.tsx'

export interface WorkspacePageProps {
  readonly client: BuildScaleClient
  readonly user: User
  readonly workspaces: readonly Workspace[]
  readonly onSignOut: () => void
}

/** Chat left, files right. */
export function WorkspacePage({ client, user, workspaces, onSignOut }: WorkspacePageProps) {
  const [workspaceId, setWorkspaceId] = useState(() => initialWorkspace(workspaces))
  if (workspaceId === undefined) return <main className="sign-in">You are not a member of any workspace. Ask its owner to add you.</main>
  return (
    <>
      <header className="page-header">
        <h1>BuildScale</h1>
        <label>
          Workspace{' '}
          <select value={workspaceId} onChange={(event) => setWorkspaceId(event.target.value)}>
            {workspaces.map(({ id, name }) => (
              <option key={id} value={id}>{name}</option>
            ))}
          </select>
        </label>
        <ModelNote client={client} />
        <span className="signed-in-user">{user.name}</span>
        <button type="button" onClick={onSignOut}>Sign out</button>
      </header>
      <OpenWorkspace key={workspaceId} client={client} workspaceId={workspaceId} />
    </>
  )
}

function initialWorkspace(workspaces: readonly Workspace[]): string | undefined {
  const { workspace } = readPageState(location.hash)
  return (workspaces.find(({ id }) => id === workspace) ?? workspaces[0])?.id
}

function OpenWorkspace({ client, workspaceId }: { readonly client: BuildScaleClient; readonly workspaceId: string }) {
  const [changes, setChanges] = useState(0)
  const agents = useAgents(client, { workspaceId, changes })
  const { chats, problem, chatId, openChat, newChat, chooseAgent, reload } = useChats(client, workspaceId, agents.agents)
  const [path, setPath] = useState<string | undefined>(undefined)
  const chat = chats.find(({ id }) => id === chatId)
  const filesChanged = useCallback(() => setChanges((count) => count + 1), [])
  return (
    <main className="workspace">
      <ChatList chats={chats} openChatId={chatId} onOpen={openChat} onNew={newChat} />
      <div className="middle">
        {problem !== null && <p role="alert" className="problem">{problem}</p>}
        {chatId === undefined ? (
          <p className="empty">Start a chat: an agent works on the files at the right while you watch.</p>
        ) : (
          <ChatView key={chatId} client={client} workspaceId={workspaceId} chatId={chatId} onFilesChanged={filesChanged} onActivity={reload}>
            {chat !== undefined && <AgentSelect agents={agents} value={chat.agent} onChoose={(agent) => chooseAgent(chat.id, agent)} onOpenFile={setPath} />}
          </ChatView>
        )}
      </div>
      <FilesPanel client={client} workspaceId={workspaceId} changes={changes} onFilesChanged={filesChanged} openPath={path} onOpen={setPath} />
    </main>
  )
}

/** The chats of a workspace and which one is open; the address remembers it. */
function useChats(client: BuildScaleClient, workspaceId: string, agents: readonly Agent[]) {
  const [chats, setChats] = useState<readonly Chat[]>([])
  const [problem, setProblem] = useState<string | null>(null)
  const [chatId, setChatId] = useState(() => readPageState(location.hash).chat ?? undefined)
  const fail = useCallback((error: unknown) => setProblem(describeError(error)), [])
  const reload = useCallback(() => {
    const show = ({ items }: { readonly items: readonly Chat[] }): void => {
      setChats(items)
      setChatId((open) => (items.some(({ id }) => id === open) ? open : items[0]?.id))
      setProblem(null)
    }
    client.chats(workspaceId).list().then(show, fail)
  }, [client, workspaceId, fail])
  useEffect(reload, [reload])
  useEffect(() => writePageState({ workspace: workspaceId, chat: chatId }), [workspaceId, chatId])
  const newChat = (): void => {
    const show = ({ chat }: { readonly chat: Chat }): void => {
      setChats((others) => [chat, ...others])
      setChatId(chat.id)
    }
    // When the usual agent is broken, a chat can still begin, with the next one that works.
    const [usual, ...others] = agents
    const agent = usual !== undefined && usual.errors.length > 0 ? others.find(({ errors }) => errors.length === 0)?.name : undefined
    client.chats(workspaceId).create(agent === undefined ? {} : { agent }).then(show, fail)
  }
  const chooseAgent = (id: string, agent: string): void => {
    const show = (chat: Chat): void => {
      setChats((all) => all.map((other) => (other.id === id ? chat : other)))
      setProblem(null)
    }
    client.chats(workspaceId).update(id, { agent }).then(show, fail)
  }
  return { chats, problem, chatId, openChat: setChatId, newChat, chooseAgent, reload }
}
