import type { ModelOrigin } from '../completion/message-types.ts'

/** Whether the same model wrote one message and will read it: only then ids, signatures and encrypted reasoning go back. */
export function isSameOrigin(left: ModelOrigin, right: ModelOrigin): boolean {
  return left.provider === right.provider && left.api === right.api && left.model === right.model
}
