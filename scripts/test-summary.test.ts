import { expect, it } from 'vitest'
import { summaryLine } from './test-summary.ts'

const file = (status: string, ...tests: string[]) => ({ status, assertionResults: tests.map((each) => ({ status: each })) })
const report = (fields: object): string => JSON.stringify({ success: true, numPassedTests: 0, numFailedTests: 0, testResults: [], ...fields })

it('counts what passed and what failed', () => {
  expect(summaryLine(report({ numPassedTests: 12, testResults: [file('passed', 'passed')] }))).toBe('12 passed, 0 failed')
  expect(summaryLine(report({ success: false, numPassedTests: 3, numFailedTests: 1, testResults: [file('failed', 'passed', 'failed')] }))).toBe('3 passed, 1 failed')
})

it('counts a file that could not be loaded as a failure', () => {
  expect(summaryLine(report({ success: false, numPassedTests: 3, testResults: [file('failed'), file('passed', 'passed')] }))).toBe('3 passed, 1 failed')
})

it('never says 0 failed of a run that failed, or of one that left no report', () => {
  expect(summaryLine(report({ success: false, numPassedTests: 3 }))).toBe('3 passed, 1 failed')
  expect(summaryLine(undefined)).toBe('0 passed, 1 failed')
})
