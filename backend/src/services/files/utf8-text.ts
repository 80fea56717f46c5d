/** The text of bytes, exactly: a byte order mark stays, encoding it again gives the same bytes. Undefined for what is not UTF-8. */
export function utf8Text(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined // the decoder's only way to say that these bytes are not UTF-8
  }
}

/** The same, but undefined also for what holds a NUL, which no text does. */
export function plainText(bytes: Buffer): string | undefined {
  const text = utf8Text(bytes)
  return text?.includes('\0') === true ? undefined : text
}
