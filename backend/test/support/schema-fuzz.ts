/** Values that fit a JSON Schema, or nearly: for tests that send everything to everything. Reproducible by its seed. */
import type { Random } from '../../../packages/rig/test/fuzz/random.ts'

export type Schema = Readonly<Record<string, unknown>>

export interface SchemaFuzzOptions {
  readonly random: Random
  /** Texts to try for a property of this name; undefined: any text will do. */
  readonly texts: (property: string) => readonly string[]
}

const NUMBERS = [0, 1, 2, 3, 10, 100, 1_000, -1, 1e12]

export class SchemaFuzz {
  readonly #options: SchemaFuzzOptions

  constructor(options: SchemaFuzzOptions) {
    this.#options = options
  }

  pick<T>(values: readonly T[]): T {
    return this.#options.random.pick(values)
  }

  /** A value for `schema`, which belongs to the property `name`. */
  value(schema: Schema, name: string): unknown {
    const { anyOf, oneOf, enum: choices, const: only, type } = schema
    if (only !== undefined) return only
    if (Array.isArray(choices)) return this.pick(choices as readonly unknown[])
    const options = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined
    if (options !== undefined) return this.value(this.pick(options as readonly Schema[]), name)
    switch (Array.isArray(type) ? this.pick(type as readonly string[]) : type) {
      case 'object':
        return this.#object(schema)
      case 'array':
        return Array.from({ length: 1 + this.#options.random.below(3) }, () => this.value((schema['items'] ?? {}) as Schema, name))
      case 'integer':
      case 'number':
        return this.pick(NUMBERS)
      case 'boolean':
        return this.pick([true, false])
      case 'null':
        return null
      default:
        return this.pick(this.#options.texts(name))
    }
  }

  #object({ properties = {}, required = [] }: Schema & { readonly properties?: Readonly<Record<string, Schema>>; readonly required?: readonly string[] }): Record<string, unknown> {
    const chosen = Object.entries(properties).filter(([name]) => required.includes(name) || this.#options.random.oneIn(2))
    return Object.fromEntries(chosen.map(([name, schema]) => [name, this.value(schema, name)]))
  }
}
