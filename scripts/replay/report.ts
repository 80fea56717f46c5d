import type { Json } from './json.ts'
import type { FileReport } from './replay-file.ts'

/** The longest value that is shown to a person, in characters. */
const SHOWN = 160

/** Where a report goes, line by line. */
export interface Reporter {
  file(report: FileReport): void
  end(reports: readonly FileReport[]): void
}

export type WriteLine = (line: string) => void

/** One JSON object per line. */
export function jsonReporter(write: WriteLine): Reporter {
  return {
    file: ({ file, ok, isCallerInput, exchanges, mismatches }) => write(JSON.stringify({ file, ok, caller_input: isCallerInput, exchanges, mismatches })),
    end: (reports) => write(JSON.stringify({ total: reports.length, failed: failedOf(reports).length })),
  }
}

/** For people: a line per file, below it what does not match. */
export function textReporter(write: WriteLine): Reporter {
  return {
    file: ({ file, ok, isCallerInput, exchanges, mismatches }) => {
      write(`${ok ? 'ok  ' : 'FAIL'} ${file} (${exchanges} ${exchanges === 1 ? 'exchange' : 'exchanges'}${isCallerInput ? ', with input of the caller' : ''})`)
      for (const { exchange, path, expected, actual } of mismatches) write(`       exchange ${exchange}, ${path}: expected ${shown(expected)}, got ${shown(actual)}`)
    },
    end: (reports) => {
      const failed = failedOf(reports)
      const total = `${reports.length} ${reports.length === 1 ? 'file' : 'files'}`
      write(`${reports.length - failed.length} of ${total} replayed as recorded${failed.length === 0 ? '' : `, ${failed.length} failed`}`)
    },
  }
}

export function failedOf(reports: readonly FileReport[]): readonly FileReport[] {
  return reports.filter(({ ok }) => !ok)
}

function shown(value: Json): string {
  const text = JSON.stringify(value)
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length} characters)` : text
}
