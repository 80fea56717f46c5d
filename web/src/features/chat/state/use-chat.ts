import type { BuildScaleClient, ConnectionChange } from '@buildscale/sdk'
import { useEffect, useReducer, useState } from 'react'
import { describeError } from '../../../lib/sdk.ts'
import { chatReducer, type ChatState, EMPTY_CHAT } from './chat-reducer.ts'

export type ConnectionState = 'loading' | 'live' | 'reconnecting' | 'failed'

export interface OpenChat {
  readonly state: ChatState
  readonly connection: ConnectionState
  readonly error: string | null
}

/** Follows one chat for as long as the component shows it: its messages first, then every event after them. */
export function useChat(client: BuildScaleClient, { workspaceId, chatId }: { readonly workspaceId: string; readonly chatId: string }): OpenChat {
  const [state, dispatch] = useReducer(chatReducer, EMPTY_CHAT)
  const [connection, setConnection] = useState<ConnectionState>('loading')
  const [error, setError] = useState<string | null>(null)
  useEffect(() => {
    const leave = new AbortController()
    const chats = client.chats(workspaceId)
    const onConnection = ({ type }: ConnectionChange): void => {
      if (type === 'open') setConnection('live')
      if (type === 'lost') setConnection('reconnecting')
    }
    const follow = async (): Promise<void> => {
      const { items, as_of_seq } = await chats.messages(chatId, { signal: leave.signal })
      dispatch({ type: 'loaded', messages: items, asOfSeq: as_of_seq })
      for await (const event of chats.events(chatId, { after: as_of_seq, signal: leave.signal, onConnection })) dispatch({ type: 'event', event })
    }
    follow().catch((reason: unknown) => {
      if (leave.signal.aborted) return
      setConnection('failed')
      setError(describeError(reason))
    })
    return () => leave.abort()
  }, [client, workspaceId, chatId])
  return { state, connection, error }
}
