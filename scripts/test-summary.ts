import { z } from 'zod'

/** What we read of vitest's JSON report (the format of Jest's `--json`). */
const testReport = z.object({
  success: z.boolean(),
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) })),
})

/** `N passed, N failed`. A file that could not be run at all counts as one failure, and so does a run that failed beside its tests. */
export function summaryLine(reportText: string | undefined): string {
  if (reportText === undefined) return '0 passed, 1 failed'
  const report = testReport.parse(JSON.parse(reportText))
  const brokenFiles = report.testResults.filter(({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed')).length
  const failed = report.numFailedTests + brokenFiles
  return `${report.numPassedTests} passed, ${failed === 0 && !report.success ? 1 : failed} failed`
}
