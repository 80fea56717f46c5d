/** The report for people. Pure. */
import type { ClientName } from './bench-client.ts'
import type { RigReport } from './rig-report.ts'
import { METRICS, SCENARIO_NAMES, SCENARIOS, type Metric } from './scenarios.ts'

const METRIC_TITLES: Readonly<Record<Metric, string>> = {
  perDelta: 'µs per delta',
  perDeltaAlone: 'µs per delta, one stream at a time',
  memoryBeforeMb: 'MB in use before',
  memoryAfterMb: 'MB in use after',
  perStep20: 'µs per step, first 20',
  perStep100: 'µs per step, first 100',
  perStepAll: 'µs per step, all',
  growthPer100: 'µs more per 100 steps of history',
  lastToFirst: 'last steps / first steps',
  peakMb: 'MB at most',
  perCall: 'µs per call',
  wholeMs: 'ms, the whole',
  quarterMs: 'ms, a quarter of it',
  oneParseMs: 'ms, one JSON.parse of the arguments',
  importMs: 'ms',
  unbuiltImportMs: 'ms, run from its sources',
}
const TITLE_WIDTH = 40

export function rigTable({ scenarios, gates }: RigReport, clients: readonly ClientName[]): string {
  const sections = SCENARIO_NAMES.flatMap((name) => {
    const report = scenarios[name]
    if (report === undefined) return []
    const rows = METRICS.flatMap((metric) => {
      const values = report.values[metric]
      return values === undefined ? [] : [row(`  ${METRIC_TITLES[metric]}`, clients.map((client) => cell(values[client])))]
    })
    return ['', row(`${name}: ${SCENARIOS[name].title}`, []), ...rows, row('  to raw', clients.map((client) => cell(report.ratio_to_raw[client])))]
  })
  const verdicts = gates.map(({ name, value, limit, bound, ok }) => `${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(38)} ${cell(value).padStart(8)}  ${bound} ${limit}`)
  return [row('CPU time and memory', clients), ...sections, '', ...verdicts].join('\n')
}

function row(title: string, cells: readonly string[]): string {
  return (cells.length === 0 ? title : title.padEnd(TITLE_WIDTH)) + cells.map((text) => text.padStart(10)).join('')
}

function cell(value: number | null): string {
  if (value === null) return '-'
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)
}
