/**
 * What a word is to the full-text index, on both sides: in texts and in questions. Letters and digits of any script, in lower case, composed. Identifiers
 * count as their parts (`parsePath`, `parse_path` and `PARSE_PATH` are "parse" and "path") and as a whole ("parsepath"). Scripts that put no spaces between words count letter by letter.
 */

/** One identifier, number or word of a text. `parts` are next to each other; `whole` is all of them joined when there are several. */
export interface Word {
  readonly parts: readonly string[]
  readonly whole: string | null
  /** Where it begins and ends in the text, in UTF-16 units. */
  readonly start: number
  readonly end: number
}

/** A longer run of letters is data (Base64, a hash of hashes): its beginning stands for it. */
const LONGEST_PART = 64
const RUN = /[\p{L}\p{N}\p{M}_]+/gu
/** Where an identifier has a seam: `fooBar`, `HTTPServer`, `foo_bar`. */
const SEAM = /_+|(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u
const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const SPACELESS_LETTERS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]\p{M}*|[^\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu

/** The words of a text, in order. The text should be in NFC, as `comparable` gives it. */
export function* wordsOf(text: string): Generator<Word> {
  for (const match of text.matchAll(RUN)) {
    const [run] = match
    const word = partsOf(run)
    if (word !== undefined) yield { ...word, start: match.index, end: match.index + run.length }
  }
}

/** A text in which equal letters are equal: composed, so that line numbers stay and accents match however they were typed. */
export function comparable(text: string): string {
  return text.normalize('NFC')
}

function partsOf(run: string): Pick<Word, 'parts' | 'whole'> | undefined {
  const lower = run.toLowerCase()
  // By far the most frequent case: one word in lower case, no seam in it.
  if (lower === run && !run.includes('_') && !SPACELESS.test(run)) return { parts: [short(run)], whole: null }
  const parts = run.split(SEAM).filter((part) => part !== '').flatMap(lettersOf).map((part) => short(part.toLowerCase()))
  if (parts.length === 0) return undefined
  const isIdentifier = parts.length > 1 && !SPACELESS.test(run)
  return { parts, whole: isIdentifier ? short(lower.replaceAll('_', '')) : null }
}

function lettersOf(part: string): readonly string[] {
  return SPACELESS.test(part) ? (part.match(SPACELESS_LETTERS) ?? []) : [part]
}

function short(part: string): string {
  return part.length <= LONGEST_PART ? part : part.slice(0, LONGEST_PART).toWellFormed()
}
