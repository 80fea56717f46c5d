const META = /<meta[^>]{0,500}?charset\s*=\s*["']?\s*([\w.:-]{1,40})/i
/** How far into a page its own declaration may stand (https://html.spec.whatwg.org/#charset). */
const PRESCAN_BYTES = 1_024

/** The text of an answer: byte order mark, then what the header says, then what the page says, then UTF-8 where it is that, then Windows-1252. */
export function decodeText(bytes: Buffer, contentType: string): string {
  const label = markOf(bytes) ?? /charset\s*=\s*"?([\w.:-]{1,40})/i.exec(contentType)?.[1] ?? META.exec(bytes.subarray(0, PRESCAN_BYTES).toString('latin1'))?.[1]
  const decoder = label === undefined ? undefined : decoderOf(label)
  if (decoder !== undefined) return decoder.decode(bytes)
  const text = new TextDecoder('utf-8').decode(bytes)
  // A page that was cut ends in half a letter, which is no proof against UTF-8.
  return text.slice(0, -1).includes('\uFFFD') ? new TextDecoder('windows-1252').decode(bytes) : text
}

/** What a byte order mark says; undefined when there is none. */
export function markOf(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return undefined
}

function decoderOf(label: string): InstanceType<typeof TextDecoder> | undefined {
  try {
    return new TextDecoder(label)
  } catch {
    return undefined // no encoding by this name: as if none had been given
  }
}
