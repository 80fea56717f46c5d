import { type LinePlace, type FrontMatter, splitFrontMatter } from '../files/front-matter.ts'
import { DEFINITION_NAME, type DefinitionFault, MAX_DESCRIPTION_LENGTH, MAX_NAME_LENGTH, type ParsedDefinition } from './agent-definition.ts'

/** A version of a definition file. */
export interface DefinitionText {
  readonly text: string
  readonly path: string
  /** The name of the folder around it. */
  readonly folder: string
  readonly version: number
}

/** The fields of a definition file and the text below them; or the one fault for which neither can be read. `example`: a field as it could stand there. */
export function readFields(text: string, example: string): { readonly fields: DefinitionFields; readonly body: string; readonly bodyLine: number } | ParsedDefinition<never> {
  const split = splitFrontMatter(text)
  if ('error' in split) return { errors: [split.error], warnings: [] }
  const { data, body, bodyLine, at } = split
  if (isMap(data)) return { fields: new DefinitionFields(data, at), body, bodyLine }
  const message =
    data === undefined
      ? `The file must begin with front matter: a line "---", then settings such as "${example}", then a line "---", then the instructions.`
      : `The front matter must be settings of the form "name: value", such as "${example}".`
  return { errors: [{ line: data === undefined ? 1 : 2, column: 1, message }], warnings: [] }
}

export function isMap(data: unknown): data is Readonly<Record<string, unknown>> {
  return typeof data === 'object' && data !== null && !Array.isArray(data)
}

/** Reads the fields of a definition's front matter one by one and collects all that is wrong, so that a person mends a file once and not once per fault. */
export class DefinitionFields {
  readonly errors: DefinitionFault[] = []
  readonly warnings: DefinitionFault[] = []
  readonly #data: Readonly<Record<string, unknown>>
  readonly #at: FrontMatter['at']

  constructor(data: Readonly<Record<string, unknown>>, at: FrontMatter['at']) {
    this.#data = data
    this.#at = at
  }

  get names(): readonly string[] {
    return Object.keys(this.#data)
  }

  /** The value of a field; a field without a value is one that is not there. */
  value(field: string): unknown {
    return Object.hasOwn(this.#data, field) ? (this.#data[field] ?? undefined) : undefined
  }

  place(path: readonly PropertyKey[]): LinePlace {
    return this.#at(path)
  }

  error(path: readonly PropertyKey[], message: string): undefined {
    this.errors.push({ ...this.#at(path), message })
    return undefined
  }

  warn(path: readonly PropertyKey[], message: string): undefined {
    this.warnings.push({ ...this.#at(path), message })
    return undefined
  }

  /** The name of a definition is that of its folder; `name` repeats it. */
  checkName(folder: string, { isRequired }: { readonly isRequired: boolean }): void {
    const name = this.value('name')
    const fault = nameFault(folder)
    if (fault !== undefined) this.error(['name'], `The folder "${folder}" cannot be a name: ${fault}. Rename the folder.`)
    if (name === undefined && isRequired) this.error([], `"name" is missing: it must be that of the folder, "${folder}".`)
    else if (name !== undefined && name !== folder) this.error(['name'], `"name" must be that of the folder, "${folder}", and is ${shown(name)}.`)
  }

  /** What it is for, in one line of text. */
  description(): string {
    const value = this.value('description')
    if (value === undefined) this.error([], '"description" is missing: one or two sentences that say what it does and when to use it.')
    else if (typeof value !== 'string' || value.trim() === '') this.error(['description'], `"description" must be text, and is ${shown(value)}.`)
    else if (value.length > MAX_DESCRIPTION_LENGTH) this.error(['description'], `"description" has ${value.length} characters; ${MAX_DESCRIPTION_LENGTH} are the most.`)
    else return value.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
    return ''
  }

  /** A field of text that may be left out. */
  optionalText(field: string, report: 'error' | 'warn'): string | undefined {
    const value = this.value(field)
    if (value === undefined) return undefined
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : this[report]([field], `"${field}" must be text, and is ${shown(value)}.`)
  }

  optionalNumber(field: string, range: { readonly least: number; readonly most: number; readonly isWhole: boolean }): number | undefined {
    const value = this.value(field)
    if (value === undefined) return undefined
    const fits = typeof value === 'number' && value >= range.least && value <= range.most && (!range.isWhole || Number.isInteger(value))
    return fits ? value : this.error([field], `"${field}" must be a ${range.isWhole ? 'whole ' : ''}number from ${range.least} to ${range.most}, and is ${shown(value)}.`)
  }

  /** Names as a list, or in one text parted by commas or spaces. Each with the path under which its place is found. */
  optionalNames(field: string, report: 'error' | 'warn'): readonly { readonly name: string; readonly path: readonly PropertyKey[] }[] | undefined {
    const value = this.value(field)
    if (value === undefined) return undefined
    if (typeof value === 'string') return value.split(/[\s,]+/).filter((name) => name !== '').map((name) => ({ name, path: [field] }))
    if (!Array.isArray(value)) return this[report]([field], `"${field}" must be a list of names, and is ${shown(value)}.`)
    return value.flatMap((name: unknown, index) => {
      if (typeof name === 'string') return [{ name, path: [field, index] }]
      this[report]([field, index], `"${field}" must be a list of names, and has ${shown(name)} in it.`)
      return []
    })
  }
}

function nameFault(name: string): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return `it has ${name.length} characters, ${MAX_NAME_LENGTH} are the most`
  return DEFINITION_NAME.test(name) ? undefined : 'names are lower-case letters and digits, parted by single hyphens'
}

/** A value in a sentence, short. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 80 ? `${text.slice(0, 77).toWellFormed()}…` : text
}

export function byLine(faults: readonly DefinitionFault[]): DefinitionFault[] {
  return [...faults].sort((a, b) => a.line - b.line || a.column - b.column)
}
