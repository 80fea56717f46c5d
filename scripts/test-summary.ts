/** `N passed, N failed` of vitest's JSON report. A file that could not be run at all counts as one failure, and so does a run that failed beside its tests. */
export function summaryLine(reportText: string | undefined): string {
  if (reportText === undefined) return '0 passed, 1 failed'
  // The format of Jest's `--json`, which vitest follows.
  const report: unknown = JSON.parse(reportText)
  const brokenFiles = list(report, 'testResults').filter((file) => field(file, 'status') === 'failed' && !list(file, 'assertionResults').some((test) => field(test, 'status') === 'failed'))
  const failed = count(report, 'numFailedTests') + brokenFiles.length
  return `${count(report, 'numPassedTests')} passed, ${failed === 0 && field(report, 'success') !== true ? 1 : failed} failed`
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined
}

function list(value: unknown, name: string): readonly unknown[] {
  const found = field(value, name)
  return Array.isArray(found) ? found : []
}

function count(value: unknown, name: string): number {
  return Number(field(value, name) ?? 0)
}
