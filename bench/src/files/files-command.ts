/** `npm run bench -- files`: reads the options, runs the bench, prints a table or JSON. */
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { untilStopped } from '../until-stopped.ts'
import { UsageError } from '../usage-error.ts'
import { type FilesBenchSettings, runFilesBench } from './files-bench.ts'
import { filesReport } from './files-report.ts'
import { filesTable } from './files-table.ts'

const FULL = { tree: 20_000, small: 1_000, large: 100_000, versions: 1_000, imports: 3, warmUps: 500, rounds: 100 }
const QUICK = { tree: 400, small: 100, large: 300, versions: 5, imports: 1, warmUps: 5, rounds: 5 }

export const FILES_HELP = `npm run bench -- files [options]

A server in a process of its own, with its embedded PostgreSQL (fsync on) and its copies on disk, asked over HTTP on this machine, beside
  fsync      write, fsync and rename of the same bytes (the folder is not flushed)
  git        git add and git commit of one file, in a repository with the same files
  ripgrep    the search itself, one thread, over the same files
in turns within one run; medians are reported, and whether the limits are kept. Also: what 100,000 files cost beside 1,000, one version of 1,000
beside one of 2, and how many files a second an import takes. Nothing but this machine is ever reached.

  --rounds N          how often everything is done (${FULL.rounds})
  --imports N         how often ${FULL.tree} files are imported (${FULL.imports})
  --folder PATH       below it everything is kept meanwhile: choose the disk (the system's temporary folder)
  --json              the last line is the report as JSON
  --gate              end with exit code 1 when a limit is not kept
  --quick             next to no work: shows that everything runs, not how fast it is`

/** @throws UsageError when the options make no sense; Error when a measurement fails */
export async function filesCommand(args: readonly string[]): Promise<void> {
  const { settings, isJson, isGate, isQuick } = readOptions(args)
  const loadBefore = loadavg()
  const durations = await untilStopped((signal) => runFilesBench(settings, { progress: (line) => console.error(line), signal }))
  const report = filesReport(durations, settings)
  const machine = { node: process.version, cpus: availableParallelism(), load_before: loadBefore, load_after: loadavg() }
  console.log(isJson ? JSON.stringify({ machine, ...settings, is_quick: isQuick, ...report }) : filesTable(report))
  if (isQuick) console.error('With --quick the figures say nothing: there was next to no work.')
  if (isGate && report.gates.some(({ ok }) => !ok)) process.exitCode = 1
}

interface FilesOptions {
  readonly settings: FilesBenchSettings
  readonly isJson: boolean
  readonly isGate: boolean
  readonly isQuick: boolean
}

function readOptions(args: readonly string[]): FilesOptions {
  const values = readFlags(args)
  const isQuick = values.quick === true
  const usual = isQuick ? QUICK : FULL
  const settings = {
    ...usual,
    imports: count('--imports', values.imports ?? String(usual.imports)),
    rounds: count('--rounds', values.rounds ?? String(usual.rounds)),
    folder: values.folder ?? tmpdir(),
  }
  return { settings, isJson: values.json === true, isGate: values.gate === true, isQuick }
}

function readFlags(args: readonly string[]) {
  const options = {
    rounds: { type: 'string' },
    imports: { type: 'string' },
    folder: { type: 'string' },
    json: { type: 'boolean' },
    gate: { type: 'boolean' },
    quick: { type: 'boolean' },
  } as const
  try {
    return parseArgs({ args: [...args], options, strict: true }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function count(flag: string, text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  throw new UsageError(`${flag} takes a positive whole number, not "${text}"`)
}
