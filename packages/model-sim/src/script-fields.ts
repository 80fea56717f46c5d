import { isObject, type JsonObject } from './json.ts'

/** A script that cannot be used; the message says where and what was expected. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError'
  constructor(place: string, expected: string) {
    super(`${place}: ${expected}`)
  }
}

/** Reads the fields of one object of a script and notices those that nobody asked for: a misspelt key must not pass silently. */
export class Fields {
  readonly #value: JsonObject
  readonly #place: string
  readonly #known = new Set<string>()

  constructor(value: unknown, place: string) {
    if (!isObject(value)) throw new ScriptError(place, 'expected an object')
    this.#value = value
    this.#place = place
  }

  path(key: string): string {
    return `${this.#place}.${key}`
  }

  raw(key: string): unknown {
    this.#known.add(key)
    return this.#value[key]
  }

  text(key: string): string | undefined {
    const value = this.raw(key)
    if (value === undefined || typeof value === 'string') return value
    throw new ScriptError(this.path(key), 'expected text')
  }

  requiredText(key: string): string {
    const value = this.text(key)
    if (value === undefined) throw new ScriptError(this.path(key), 'is missing; expected text')
    return value
  }

  /** One text or a list of texts, as a list. */
  texts(key: string): readonly string[] | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    return list.map((entry) => {
      if (typeof entry !== 'string') throw new ScriptError(this.path(key), 'expected text, or a list of texts')
      return entry
    })
  }

  /** Zero or more. */
  number(key: string): number | undefined {
    const value = this.raw(key)
    if (value === undefined || (typeof value === 'number' && value >= 0)) return value
    throw new ScriptError(this.path(key), 'expected a number, zero or more')
  }

  /** Positive integers, at least one. */
  numbers(key: string): readonly number[] | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    const isUsable = Array.isArray(value) && value.length > 0 && value.every((size: unknown) => Number.isInteger(size) && Number(size) > 0)
    if (!isUsable) throw new ScriptError(this.path(key), 'expected a list of positive integers')
    return value.map(Number)
  }

  list(key: string): readonly unknown[] {
    const value = this.raw(key)
    if (Array.isArray(value)) return value
    throw new ScriptError(this.path(key), 'expected a list')
  }

  object(key: string): JsonObject {
    const value = this.raw(key)
    if (isObject(value)) return value
    throw new ScriptError(this.path(key), 'expected an object')
  }

  textRecord(key: string): Readonly<Record<string, string>> {
    const value = this.raw(key) ?? {}
    if (!isObject(value)) throw new ScriptError(this.path(key), 'expected an object of texts')
    return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]))
  }

  child(key: string): Fields | undefined {
    const value = this.raw(key)
    return value === undefined ? undefined : new Fields(value, this.path(key))
  }

  children(key: string): readonly Fields[] | undefined {
    if (this.raw(key) === undefined) return undefined
    return this.list(key).map((value, index) => new Fields(value, `${this.path(key)}[${index}]`))
  }

  choice<const Choice extends string>(key: string, choices: readonly Choice[]): Choice {
    const value = this.raw(key)
    const found = choices.find((choice) => choice === value)
    if (found === undefined) throw new ScriptError(this.path(key), `expected one of ${choices.map((choice) => `"${choice}"`).join(', ')}`)
    return found
  }

  /** Any number of the choices; none when the field is absent. */
  choices<const Choice extends string>(key: string, choices: readonly Choice[]): readonly Choice[] {
    const given = this.texts(key) ?? []
    const stray = given.find((text) => !choices.some((choice) => choice === text))
    if (stray !== undefined) throw new ScriptError(this.path(key), `"${stray}" is none of ${choices.map((choice) => `"${choice}"`).join(', ')}`)
    return choices.filter((choice) => given.includes(choice))
  }

  /** `result`, after checking that no field was left unread. */
  closed<Result>(result: Result): Result {
    this.end()
    return result
  }

  end(): void {
    const stray = Object.keys(this.#value).find((key) => !this.#known.has(key))
    if (stray !== undefined) throw new ScriptError(this.path(stray), `is not a known field here; known are ${[...this.#known].join(', ')}`)
  }
}
