import { describe } from './check-exchange.ts'
import { ABSENT } from './compare-json.ts'
import { decodeRecording } from './decode-recording.ts'
import { loadRecording, RecordingError, type Exchange } from './load-recording.ts'
import { readExchanges } from './read-exchange.ts'
import { runScenario, type Mismatch, type ScenarioOptions } from './run-scenario.ts'

/** What came of a file. */
export interface FileReport {
  readonly file: string
  readonly ok: boolean
  readonly isCallerInput: boolean
  readonly exchanges: number
  readonly mismatches: readonly Mismatch[]
}

export interface ReplayOptions extends ScenarioOptions {
  /** Only reads the answers. */
  readonly decodeOnly: boolean
}

/** Replays the recording at `path`; `file` is its name in the report. Never throws: a file that cannot be read is one that failed. */
export async function replayFile(path: string, file: string, options: ReplayOptions): Promise<FileReport> {
  let exchanges: readonly Exchange[] = []
  try {
    exchanges = loadRecording(path)
    const read = readExchanges(exchanges, { answersOnly: options.decodeOnly })
    const { isCallerInput, mismatches } = await (options.decodeOnly ? decodeRecording : runScenario)(exchanges, read, options)
    return { file, ok: mismatches.length === 0, isCallerInput, exchanges: exchanges.length, mismatches }
  } catch (error) {
    const actual = error instanceof RecordingError ? error.message : describe(error)
    return { file, ok: false, isCallerInput: false, exchanges: exchanges.length, mismatches: [{ exchange: 0, path: 'recording', expected: ABSENT, actual }] }
  }
}
