/** What the part of the address behind `#` holds: which workspace and chat are open, or the sign-in code. It never reaches a server or its log. */
export function readPageState(hash: string): { readonly workspace: string | null; readonly chat: string | null; readonly code: string | null } {
  const values = new URLSearchParams(hash.replace(/^#/, ''))
  return { workspace: values.get('workspace'), chat: values.get('chat'), code: values.get('code') }
}

/** Remembers the open workspace and chat, so that a reload shows the same. */
export function writePageState(state: { readonly workspace: string; readonly chat: string | undefined }): void {
  const values = new URLSearchParams({ workspace: state.workspace, ...(state.chat !== undefined && { chat: state.chat }) })
  history.replaceState(null, '', `/#${values.toString()}`)
}
