const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, '\\': 92 }

/** A path as git writes it: in quotes, with escapes and octal bytes, when it has unusual letters (`"a/\303\274.txt"`); otherwise as it stands. */
export function unquoted(text: string): string {
  if (!/^".*"$/.test(text)) return text
  const bytes: number[] = []
  for (const [, octal, escape, plain] of text.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|([^\\]+)/gu)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8) & 0xff)
    else if (escape !== undefined) bytes.push(ESCAPES[escape] ?? escape.charCodeAt(0))
    else bytes.push(...Buffer.from(plain ?? ''))
  }
  return Buffer.from(bytes).toString('utf8')
}
