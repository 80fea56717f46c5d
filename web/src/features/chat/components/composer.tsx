import { type KeyboardEvent, type ReactNode, useState } from 'react'
import { describeError } from '../../../lib/sdk.ts'

export interface ComposerProps {
  readonly isRunning: boolean
  /** Stands above the message: who answers it. */
  readonly children?: ReactNode
  readonly onSend: (content: string) => Promise<void>
  readonly onStop: () => Promise<void>
}

/** Where messages are written: Enter sends, Shift+Enter starts a new line. What could not be sent stays. */
export function Composer({ isRunning, children, onSend, onStop }: ComposerProps) {
  const [content, setContent] = useState('')
  const [isSending, setSending] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const attempt = (work: Promise<void>): Promise<void> => work.then(() => setProblem(null), (error: unknown) => setProblem(describeError(error)))
  const send = async (): Promise<void> => {
    if (content.trim() === '' || isSending) return
    setSending(true)
    await attempt(onSend(content).then(() => setContent('')))
    setSending(false)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    // While an input method composes a letter, Enter chooses it.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    void send()
  }
  return (
    <div className="composer">
      {children}
      {problem !== null && <p role="alert" className="problem">{problem}</p>}
      <label htmlFor="composer">Message</label>
      <textarea id="composer" rows={3} value={content} placeholder="What shall the agent do? Enter sends, Shift+Enter starts a new line." onChange={(event) => setContent(event.target.value)} onKeyDown={onKeyDown} />
      <div className="actions">
        {isRunning && <button type="button" className="stop" onClick={() => void attempt(onStop())}>Stop</button>}
        <button type="button" disabled={content.trim() === '' || isSending} onClick={() => void send()}>Send</button>
      </div>
    </div>
  )
}
