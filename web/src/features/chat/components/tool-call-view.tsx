import type { ToolCallStatus } from '@buildscale/protocol'
import type { ViewPart } from '../state/chat-reducer.ts'

const STATUS_TEXT = {
  pending: 'waiting',
  running: 'running …',
  ok: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
  in_doubt: 'unknown whether it took effect',
} as const satisfies Record<ToolCallStatus, string>

/** A tool call on one line, its arguments and output folded away. */
export function ToolCallView({ call }: { readonly call: Extract<ViewPart, { readonly type: 'tool_call' }> }) {
  const duration = call.durationMs === null ? '' : `, ${Math.round(call.durationMs)} ms`
  return (
    <details className={`tool-call ${call.status}`}>
      <summary>
        <code>
          {call.tool} {pathOf(call.args)}
        </code>{' '}
        <span className="status">
          {STATUS_TEXT[call.status]}
          {duration}
        </span>
      </summary>
      <h4>Arguments</h4>
      <pre>{JSON.stringify(call.args, null, 2)}</pre>
      {call.output !== null && call.output !== undefined && (
        <>
          <h4>Result</h4>
          <pre>{JSON.stringify(call.output, null, 2)}</pre>
        </>
      )}
    </details>
  )
}

function pathOf(args: unknown): string {
  if (typeof args !== 'object' || args === null) return ''
  if ('path' in args && typeof args.path === 'string') return args.path
  return 'pattern' in args && typeof args.pattern === 'string' ? args.pattern : ''
}
