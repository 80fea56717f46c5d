/** Types that a browser shows without running anything. All others are offered as a download. */
const SHOWN = /^(?:text\/plain|text\/markdown|application\/json|application\/pdf|image\/(?:png|jpeg|gif|webp|avif|bmp)|audio\/[\w.+-]+|video\/[\w.+-]+)$/

/** What a stored page may do should a browser open it: nothing. `sandbox` gives it an origin of its own, so it cannot use our cookie. */
const STORED_CONTENT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; frame-ancestors 'self'"

/** Headers for bytes that somebody stored, so that they cannot script this origin. `name`: of the file. */
export function contentHeaders(file: { readonly name: string; readonly mime: string }): Record<string, string> {
  const type = file.mime.split(';')[0]?.trim().toLowerCase() ?? ''
  return {
    'content-type': file.mime,
    'content-disposition': `${SHOWN.test(type) ? 'inline' : 'attachment'}; filename*=UTF-8''${encodeName(file.name)}`,
    'content-security-policy': STORED_CONTENT_POLICY,
    'x-frame-options': 'SAMEORIGIN',
    // A copy may be kept, but is asked for again each time: membership and content change.
    'cache-control': 'private, no-cache',
    vary: 'Authorization, Cookie',
  }
}

/** https://www.rfc-editor.org/rfc/rfc8187#section-3.2: these four are allowed in URIs but not here. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
