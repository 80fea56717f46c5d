/** Media types by file name, and by the bytes where the name says nothing. Only a label for clients: nothing is parsed or changed because of it. */

const BY_EXTENSION: Readonly<Record<string, string>> = {
  css: 'text/css',
  csv: 'text/csv',
  gif: 'image/gif',
  gz: 'application/gzip',
  htm: 'text/html',
  html: 'text/html',
  ico: 'image/x-icon',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript',
  json: 'application/json',
  md: 'text/markdown',
  mjs: 'text/javascript',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  pdf: 'application/pdf',
  plan: 'text/markdown',
  png: 'image/png',
  svg: 'image/svg+xml',
  tar: 'application/x-tar',
  wasm: 'application/wasm',
  webp: 'image/webp',
  woff2: 'font/woff2',
  xml: 'application/xml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  zip: 'application/zip',
}

/** How many bytes `mimeType` wants to see. */
export const SNIFF_BYTES = 8_192

/** The media type of a file called `name` that begins with `start`: text is `text/plain` unless the name says more; anything else is `application/octet-stream`. */
export function mimeType(name: string, start: Buffer): string {
  const dot = name.lastIndexOf('.')
  const known = dot > 0 ? BY_EXTENSION[name.slice(dot + 1).toLowerCase()] : undefined
  return known ?? (isText(start) ? 'text/plain' : 'application/octet-stream')
}

/** True when the bytes read as UTF-8 without NUL. A letter cut in half at the end of the sample is fine. */
function isText(start: Buffer): boolean {
  if (start.includes(0)) return false
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: true })
    return true
  } catch {
    return false // not UTF-8: that is the answer, not a failure
  }
}
