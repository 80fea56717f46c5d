/** Reading and writing of the one cookie that the UI needs: https://www.rfc-editor.org/rfc/rfc6265 */

/** The cookie that signs the UI in. */
export const SESSION_COOKIE = 'buildscale_session'

/** The value of cookie `name` in a `Cookie` header; undefined when it is absent. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const separator = pair.indexOf('=')
    if (separator > 0 && pair.slice(0, separator).trim() === name) return pair.slice(separator + 1).trim()
  }
  return undefined
}

/** A `Set-Cookie` value that scripts cannot read and other sites cannot send along. `maxAgeSeconds` 0 deletes the cookie. */
export function sessionCookie(value: string, options: { readonly maxAgeSeconds: number; readonly secure: boolean }): string {
  const attributes = [`${SESSION_COOKIE}=${value}`, 'HttpOnly', 'SameSite=Lax', 'Path=/', `Max-Age=${options.maxAgeSeconds}`]
  return [...attributes, ...(options.secure ? ['Secure'] : [])].join('; ')
}
