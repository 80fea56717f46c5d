/** Every duration that was measured, in milliseconds, by what it is of. */
export const MEASURES = [
  'import',
  'write',
  'write-http',
  'fsync',
  'git',
  'grep',
  'ripgrep',
  'ls-small',
  'ls-large',
  'read-small',
  'read-large',
  'write-small',
  'write-large',
  'version-of-2',
  'version-of-many',
] as const
export type Measure = (typeof MEASURES)[number]

export const MEASURE_TITLES: Readonly<Record<Measure, string>> = {
  import: 'import of the whole tree, over HTTP',
  write: 'tool write, in a workspace of that tree',
  'write-http': 'the same by a request',
  fsync: 'write, fsync, rename of the same bytes',
  git: 'git add and commit of one file, in a repository of that tree',
  grep: 'tool grep over that tree',
  ripgrep: 'ripgrep over its copy on disk, one thread',
  'ls-small': 'tool ls, small workspace',
  'ls-large': 'tool ls, large workspace',
  'read-small': 'tool read, small workspace',
  'read-large': 'tool read, large workspace',
  'write-small': 'tool write, small workspace',
  'write-large': 'tool write, large workspace',
  'version-of-2': 'opening version 1 of 2',
  'version-of-many': 'opening version 1 of many',
}

export class Durations {
  readonly #values = new Map<Measure, number[]>()

  /** Runs `work` and keeps how long it took. */
  async time<T>(measure: Measure, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    const result = await work()
    this.#values.set(measure, [...this.of(measure), performance.now() - startedAt])
    return result
  }

  of(measure: Measure): readonly number[] {
    return this.#values.get(measure) ?? []
  }
}
