/**
 * Writing tar archives, for whoever sends many files at once: the server's export and clients that import.
 * Format: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html, `ustar` with `pax` records where a name or a size does not fit.
 */

const BLOCK = 512
const NAME_BYTES = 100
/** Eleven octal digits. */
const SIZE_LIMIT = 8 ** 11

/** Two empty blocks: the end of an archive. */
export const TAR_END: Uint8Array<ArrayBuffer> = new Uint8Array(2 * BLOCK)

export interface TarEntry {
  /** Without a leading `/`; of a folder, with or without a closing one. */
  readonly name: string
  readonly type: 'file' | 'folder'
  /** 0 for a folder. */
  readonly size: number
  readonly modifiedAt: Date
}

/** What stands before the bytes of an entry. After them comes `tarPadding`. */
export function tarHeader({ name, type, size, modifiedAt }: TarEntry): Uint8Array<ArrayBuffer> {
  const full = type === 'folder' && !name.endsWith('/') ? `${name}/` : name
  const seconds = Math.max(0, Math.floor(modifiedAt.getTime() / 1000))
  const main = { typeflag: type === 'folder' ? '5' : '0', mode: type === 'folder' ? 0o755 : 0o644, seconds }
  const records = [...(fits(full) ? [] : [paxRecord('path', full)]), ...(size < SIZE_LIMIT ? [] : [paxRecord('size', String(size))])]
  if (records.length === 0) return headerBlock(full, { ...main, size })
  const pax = concat(records)
  const paxHeader = headerBlock('PaxHeader', { typeflag: 'x', mode: 0o644, seconds, size: pax.length })
  return concat([paxHeader, pax, tarPadding(pax.length), headerBlock(full, { ...main, size: Math.min(size, SIZE_LIMIT - 1) })])
}

/** Zeros that fill the last block of `size` bytes. */
export function tarPadding(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK)
}

/** Only ASCII is the same for every reader without a `pax` record. */
function fits(name: string): boolean {
  return name.length <= NAME_BYTES && /^[\x20-\x7e]*$/.test(name)
}

/** `length key=value\n`, the length counting itself. */
function paxRecord(key: string, value: string): Uint8Array<ArrayBuffer> {
  const rest = encode(` ${key}=${value}\n`)
  let length = rest.length + String(rest.length).length
  if (String(length).length + rest.length !== length) length += 1
  return concat([encode(String(length)), rest])
}

interface HeaderFields {
  readonly typeflag: string
  readonly mode: number
  readonly seconds: number
  readonly size: number
}

function headerBlock(name: string, { typeflag, mode, seconds, size }: HeaderFields): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK)
  const put = (offset: number, text: string): void => block.set(encode(text), offset)
  // Readers that know no pax records see the beginning of a long name.
  block.set(encode(name).subarray(0, NAME_BYTES), 0)
  put(100, octal(mode, 7))
  put(108, octal(0, 7))
  put(116, octal(0, 7))
  put(124, octal(size, 11))
  put(136, octal(seconds, 11))
  put(148, '        ')
  put(156, typeflag)
  put(257, 'ustar\u000000')
  let sum = 0
  for (const byte of block) sum += byte
  put(148, `${octal(sum, 6)}\u0000 `)
  return block
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

const encoder = new TextEncoder()

function encode(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text)
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
