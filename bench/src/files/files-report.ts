/** From durations to the figures that are reported, and the limits they are held to. Pure. */
import { median } from '../rig/rig-report.ts'
import type { Durations, Measure } from './files-measurement.ts'

export interface FilesGate {
  readonly name: string
  readonly value: number
  readonly limit: number
  /** Which side of the limit is good. */
  readonly bound: 'at most' | 'at least'
  readonly ok: boolean
}

export interface FilesReport {
  /** Medians, in milliseconds. */
  readonly p50_ms: Readonly<Record<Measure, number | null>>
  readonly count: Readonly<Record<Measure, number>>
  readonly gates: readonly FilesGate[]
}

export function filesReport(durations: Pick<Durations, 'of'>, { tree }: { readonly tree: number }): FilesReport {
  const p50 = (measure: Measure): number | null => median(durations.of(measure))
  const gates = [
    gate('write_to_fsync', over(p50('write'), p50('fsync')), { bound: 'at most', limit: 4 }),
    gate('git_to_write', over(p50('git'), p50('write')), { bound: 'at least', limit: 5 }),
    gate('grep_to_ripgrep', over(p50('grep'), p50('ripgrep')), { bound: 'at most', limit: 1.3 }),
    gate('ls_large_to_small', over(p50('ls-large'), p50('ls-small')), { bound: 'at most', limit: 1.5 }),
    gate('read_large_to_small', over(p50('read-large'), p50('read-small')), { bound: 'at most', limit: 1.5 }),
    gate('write_large_to_small', over(p50('write-large'), p50('write-small')), { bound: 'at most', limit: 1.5 }),
    gate('version_of_many_to_version_of_2', over(p50('version-of-many'), p50('version-of-2')), { bound: 'at most', limit: 1.5 }),
    gate('imported_files_per_second', over(tree * 1_000, p50('import')), { bound: 'at least', limit: 2_000 }),
  ]
  return { p50_ms: each((measure) => rounded(p50(measure))), count: each((measure) => durations.of(measure).length), gates: gates.flat() }
}

function each<T>(value: (measure: Measure) => T): Readonly<Record<Measure, T>> {
  return {
    import: value('import'),
    write: value('write'),
    'write-http': value('write-http'),
    fsync: value('fsync'),
    git: value('git'),
    grep: value('grep'),
    ripgrep: value('ripgrep'),
    'ls-small': value('ls-small'),
    'ls-large': value('ls-large'),
    'read-small': value('read-small'),
    'read-large': value('read-large'),
    'write-small': value('write-small'),
    'write-large': value('write-large'),
    'version-of-2': value('version-of-2'),
    'version-of-many': value('version-of-many'),
  }
}

function over(above: number | null, below: number | null): number | null {
  return above === null || below === null || below <= 0 ? null : above / below
}

/** None of what was not measured. */
function gate(name: string, value: number | null, { bound, limit }: Pick<FilesGate, 'bound' | 'limit'>): readonly FilesGate[] {
  if (value === null) return []
  return [{ name, value: rounded(value), limit, bound, ok: bound === 'at most' ? value <= limit : value >= limit }]
}

function rounded<T extends number | null>(value: T): T | number {
  return value === null ? value : Math.round(value * 1000) / 1000
}
