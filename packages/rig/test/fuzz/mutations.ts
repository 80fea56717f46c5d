import type { Random } from './random.ts'

/** Stand in a frame for what `JSON.stringify` cannot write. */
const RAW = { '"@infinite@"': '1e999', '"@minus@"': '-1e999', '"@long@"': '123456789012345678901234567890', '"@deep@"': `${'['.repeat(10_000)}${']'.repeat(10_000)}`, '"@deep object@"': `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}` }

const KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'type', 'index', 'id', 'delta', 'content', '', 'a']

type Junk = (random: Random) => unknown

const JUNK: readonly Junk[] = [
  () => null, () => true, () => false, () => 0, () => -1, () => -0.5, () => 1e308, () => 2 ** 53, () => 4_294_967_296,
  () => '@infinite@', () => '@minus@', () => '@long@',
  () => '', () => ' ', () => 'NaN', () => 'null', () => '[DONE]', () => 'text', () => 'tool_use', () => '__proto__', () => 'constructor', () => '\ud800', () => 'a\udfffb', () => '\u0000', () => '\u2028',
  () => '{"a":1}', () => '{"a"', () => '"{\\"a\\":1}"', () => [], () => ({}), () => [[]], () => [null], () => [{}], () => ({ type: 'text' }), () => own('__proto__', { type: 'text', isOpen: true }), () => own('constructor', null),
  (random) => 'x'.repeat(random.below(3000)),
  (random) => random.below(100_000),
  (random) => (random.oneIn(40) ? random.pick(['@deep@', '@deep object@']) : 'shallow'),
  (random) => random.some(5, () => junk(random)),
  (random) => own(random.pick(KEYS), junk(random)),
]

export function junk(random: Random): unknown {
  return random.pick(JUNK)(random)
}

/** An object with one field, whatever its name. */
function own(key: string, value: unknown): object {
  return Object.defineProperty({}, key, { value, enumerable: true, writable: true, configurable: true })
}

/** Valid frames, broken in some places: fields of other types, lost, renamed and new; frames lost, doubled, moved and cut off. */
export function mutated(random: Random, frames: readonly (object | string)[]): string[] {
  let texts = frames.map((frame) => (typeof frame === 'string' ? frame : frameText(random, frame)))
  for (let change = random.below(4); change > 0; change--) texts = rearranged(random, texts)
  return texts
}

/** A value as JSON, with what JSON itself could not have said. */
export function textOf(value: unknown): string {
  let text = JSON.stringify(value) ?? 'null'
  for (const [mark, raw] of Object.entries(RAW)) if (text.includes(mark)) text = text.replaceAll(mark, raw)
  return text
}

/** A copy of `value` with `count` changes somewhere inside it. */
export function changed(random: Random, value: unknown, count: number): unknown {
  let copy: unknown = JSON.parse(JSON.stringify(value))
  for (let change = 0; change < count; change++) copy = changedOnce(random, copy)
  return copy
}

function frameText(random: Random, frame: object): string {
  const text = textOf(random.oneIn(3) ? changed(random, frame, 1 + random.below(3)) : frame)
  if (random.oneIn(60)) return text.slice(0, random.below(text.length))
  if (random.oneIn(80)) return spliced(random, text)
  return text
}

function spliced(random: Random, text: string): string {
  const place = random.below(text.length)
  return text.slice(0, place) + random.bytes(6).toString('latin1') + text.slice(place + random.below(4))
}

function rearranged(random: Random, texts: readonly string[]): string[] {
  const place = random.below(texts.length + 1)
  const other = random.below(texts.length + 1)
  switch (random.below(6)) {
    case 0: return texts.toSpliced(place, 1)
    case 1: return texts.toSpliced(place, 0, ...texts.slice(other, other + 1 + random.below(3)))
    case 2: return [...texts.slice(place), ...texts.slice(0, place)]
    case 3: return texts.slice(0, place)
    case 4: return texts.toSpliced(place, 0, textOf(junk(random)))
    default: return texts.flatMap((text) => (random.oneIn(10) ? [text, text] : [text]))
  }
}

function changedOnce(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random.oneIn(8)) return junk(random)
  if (Array.isArray(value)) {
    const place = random.below(value.length + 1)
    return value.toSpliced(place, random.below(2), ...(random.oneIn(3) ? [junk(random)] : [changedOnce(random, value[place] ?? null)]))
  }
  const keys = Object.keys(value)
  const key = keys.length === 0 || random.oneIn(10) ? random.pick(KEYS) : random.pick(keys)
  const descriptor = Object.getOwnPropertyDescriptor(value, key)
  const rest = Object.entries(value).filter(([name]) => name !== key)
  if (random.oneIn(6)) return objectOf(rest)
  const name = random.oneIn(12) ? random.pick(KEYS) : key
  return objectOf([...rest, [name, changedOnce(random, descriptor?.value ?? null)]])
}

/** Keeps `__proto__` a field like any other. */
function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(entries)
}
