/**
 * A question in words, as people type it: `one two` both, `"one two"` next to each other, `-three` not, `one OR two` either. Read by the same rules as texts
 * are (`words.ts`), which is why PostgreSQL's own reader of such questions is not used: it cuts identifiers and scripts without spaces elsewhere.
 */
import { AppError } from '../../../errors.ts'
import { comparable, type Word, wordsOf } from './words.ts'

/** Something to look for: one word, or several in a row. */
export interface Term {
  readonly parts: readonly string[]
  /** All parts as one identifier; null when they were typed apart, in quotes. */
  readonly whole: string | null
  /** In quotes: as it stands, without other endings. */
  readonly isExact: boolean
}

export interface WordQuery {
  /** Alternatives; each says what must and what must not be there. */
  readonly alternatives: readonly { readonly wanted: readonly Term[]; readonly unwanted: readonly Term[] }[]
  /** Every term that is looked for. */
  readonly terms: readonly Term[]
}

/** More of them say nothing more and cost time. */
const MOST_TERMS = 32
const SYNTAX = /(-?)"([^"]*)"|(\S+)/g
/** Common endings: what was typed with one is also found without it. */
export const ENDING = /(?:s|es|ed|ing)$/

/** Throws `invalid_request` when there is no word to look for. */
export function parseWordQuery(question: string): WordQuery {
  const alternatives: { wanted: Term[]; unwanted: Term[] }[] = [{ wanted: [], unwanted: [] }]
  let count = 0
  for (const [, minus, quoted, plain = ''] of comparable(question).matchAll(SYNTAX)) {
    if (plain === 'OR') alternatives.push({ wanted: [], unwanted: [] })
    else {
      const isUnwanted = minus === '-' || plain.startsWith('-')
      const terms = (quoted === undefined ? plainTerms(plain) : [phrase(quoted)]).filter((term) => term !== undefined).slice(0, MOST_TERMS - count)
      count += terms.length
      alternatives.at(-1)?.[isUnwanted ? 'unwanted' : 'wanted'].push(...terms)
    }
  }
  const usable = alternatives.filter(({ wanted }) => wanted.length > 0)
  if (usable.length === 0) throw new AppError('invalid_request', `There is no word to look for in ${JSON.stringify(question.slice(0, 100))}. Give one or more words; "in quotes" they must stand next to each other, -word leaves files with it out.`)
  return { alternatives: usable, terms: usable.flatMap(({ wanted }) => wanted) }
}

/** What is typed without a space belongs together: `src/app.ts`, `foo-bar`, `parsePath`. */
function plainTerms(text: string): readonly (Term | undefined)[] {
  const words = [...wordsOf(text)]
  const [only] = words
  if (words.length === 1 && only !== undefined) return [{ parts: only.parts, whole: only.whole, isExact: false }]
  return [joined(words, false)]
}

function phrase(text: string): Term | undefined {
  const words = [...wordsOf(text)]
  return joined(words, true)
}

function joined(words: readonly Word[], isExact: boolean): Term | undefined {
  const parts = words.flatMap((word) => word.parts)
  return parts.length === 0 ? undefined : { parts, whole: null, isExact }
}

/** As PostgreSQL reads a `tsquery`. `loose`: words may go on (`migrat` finds `migration`) and common endings may be missing. */
export function queryText({ alternatives }: Pick<WordQuery, 'alternatives'>, { loose }: { readonly loose: boolean }): string {
  const texts = alternatives.map(({ wanted, unwanted }) => [...wanted.map((term) => termText(term, loose)), ...unwanted.map((term) => `!${termText(term, false)}`)].join(' & '))
  return texts.map((text) => `(${text})`).join(' | ')
}

export function termText({ parts, whole, isExact }: Term, loose: boolean): string {
  const isLoose = loose && !isExact
  if (parts.length > 1) {
    const row = parts.map((part, index) => (isLoose && index === parts.length - 1 ? begin(part) : word(part))).join(' <-> ')
    return whole === null ? `(${row})` : `(${isLoose ? begin(whole) : word(whole)} | (${row}))`
  }
  const [part = ''] = parts
  if (!isLoose) return word(part)
  const stem = part.replace(ENDING, '')
  return stem === part || stem.length < 3 ? begin(part) : `(${begin(part)} | ${word(stem)})`
}

/** Words are letters and digits alone, so nothing in them can end the quotes. */
function word(part: string): string {
  return `'${part}'`
}

/** From three letters on a word may go on: fewer would match half of everything. Letters of scripts without spaces are words of their own. */
function begin(part: string): string {
  return part.length < 3 ? word(part) : `${word(part)}:*`
}
