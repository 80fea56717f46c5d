/** Which bytes a `Range` header asks for: https://www.rfc-editor.org/rfc/rfc9110#name-range */
export type RangeAnswer =
  /** No range, or one that this server may ignore (several ranges, another unit): the whole. */
  | { readonly type: 'whole' }
  /** Both ends included. */
  | { readonly type: 'part'; readonly start: number; readonly end: number }
  | { readonly type: 'unsatisfiable' }

/** `size`: of the whole, in bytes. */
export function byteRange(header: string | undefined, size: number): RangeAnswer {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(' ', '') ?? '')
  const [, first = '', last = ''] = match ?? []
  if (first === '' && last === '') return { type: 'whole' }
  if (first === '') return suffix(Number(last), size)
  const start = Number(first)
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  // "5-2" is no range at all, and a header that is none is ignored.
  if (last !== '' && Number(last) < start) return { type: 'whole' }
  return start >= size ? { type: 'unsatisfiable' } : { type: 'part', start, end }
}

function suffix(length: number, size: number): RangeAnswer {
  if (length === 0 || size === 0) return { type: 'unsatisfiable' }
  return { type: 'part', start: Math.max(0, size - length), end: size - 1 }
}
