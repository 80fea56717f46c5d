/** The report for people. Pure. */
import { MEASURE_TITLES, MEASURES } from './files-measurement.ts'
import type { FilesReport } from './files-report.ts'

export function filesTable({ p50_ms, count, gates }: FilesReport): string {
  const rows = MEASURES.map((measure) => `  ${MEASURE_TITLES[measure].padEnd(64)}${cell(p50_ms[measure]).padStart(10)}${String(count[measure]).padStart(8)}`)
  const verdicts = gates.map(({ name, value, limit, bound, ok }) => `${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(38)} ${cell(value).padStart(8)}  ${bound} ${limit}`)
  return [`${'Medians'.padEnd(66)}${'ms'.padStart(10)}${'times'.padStart(8)}`, ...rows, '', ...verdicts].join('\n')
}

function cell(value: number | null): string {
  if (value === null) return '-'
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)
}
