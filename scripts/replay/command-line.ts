import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { MakeModel } from './make-model.ts'
import { replayFile, type FileReport } from './replay-file.ts'
import { failedOf, jsonReporter, textReporter, type WriteLine } from './report.ts'

export const HELP = `npm run replay -- <folder> [options]

Replays recorded HTTP exchanges with model providers against the runtime, and compares every request
that it sends and everything that it makes of the answers. <folder> is searched for .yaml files.

  --decode          only read the recorded answers, and compare with an independent reading of their JSON
  --json            one JSON object per file and line, then the totals
  --timeout <s>     give a file up in which nothing has happened for so many seconds (30)
  --help            this

Exit code: 0 when every file replays as recorded, 1 when one does not, 2 when nothing could be replayed.`

const DEFAULT_TIMEOUT_S = 30

export interface CommandLine {
  readonly write: WriteLine
  readonly complain: WriteLine
  readonly makeModel: MakeModel
}

/** Something is wrong with how the command was called. */
class UsageError extends Error {}

/** Runs the command; gives its exit code. */
export async function replayCommand(args: readonly string[], { write, complain, makeModel }: CommandLine): Promise<0 | 1 | 2> {
  try {
    const options = optionsOf(args)
    if (options === 'help') {
      write(HELP)
      return 0
    }
    const { folder, isJson, decodeOnly, timeoutMs } = options
    const reporter = isJson ? jsonReporter(write) : textReporter(write)
    const reports: FileReport[] = []
    for (const { path, file } of recordingsIn(folder)) {
      const report = await replayFile(path, file, { makeModel, decodeOnly, timeoutMs })
      reporter.file(report)
      reports.push(report)
    }
    reporter.end(reports)
    return failedOf(reports).length === 0 ? 0 : 1
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    complain(`replay: ${error.message}`)
    return 2
  }
}

interface Options {
  readonly folder: string
  readonly isJson: boolean
  readonly decodeOnly: boolean
  readonly timeoutMs: number
}

function optionsOf(args: readonly string[]): Options | 'help' {
  const { values, positionals } = parsed(args)
  if (values.help === true) return 'help'
  const [folder, ...others] = positionals
  if (folder === undefined || others.length > 0) throw new UsageError(`name one folder with recordings\n\n${HELP}`)
  const seconds = values.timeout === undefined ? DEFAULT_TIMEOUT_S : Number(values.timeout)
  if (!(seconds > 0)) throw new UsageError(`--timeout takes a number of seconds above 0, not "${values.timeout ?? ''}"`)
  return { folder, isJson: values.json === true, decodeOnly: values.decode === true, timeoutMs: seconds * 1000 }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, decode: { type: 'boolean' }, timeout: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    })
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`, { cause: error })
  }
}

/** The recordings below a folder, by name; a single file is one too. */
function recordingsIn(folder: string): readonly { readonly path: string; readonly file: string }[] {
  if (!existsSync(folder)) throw new UsageError(`there is no folder ${folder}`)
  if (statSync(folder).isFile()) return [{ path: folder, file: basename(folder) }]
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.ya?ml$/.test(file)).toSorted()
  if (files.length === 0) throw new UsageError(`${folder} holds no .yaml files`)
  return files.map((file) => ({ path: join(folder, file), file }))
}
