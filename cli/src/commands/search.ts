import { SEARCH_MODES, type SearchHit, type SearchMode } from '@buildscale/protocol'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import { type CliContext, workspaceId } from '../connect.ts'
import { printable } from '../terminal.ts'

export interface SearchOptions {
  readonly workspace: string
  readonly mode: string
  readonly path: string
  readonly limit: string
  readonly json?: boolean
}

/** `buildscale search`: exits 0 when something was found. */
export async function search({ client, terminal }: CliContext, words: string, options: SearchOptions): Promise<ExitCode> {
  const modes = parseModes(options.mode)
  const limit = Number(options.limit)
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) throw new CliError(`--limit: ${options.limit} is not a number from 1 to 100`, EXIT.usage)
  const result = await client.files(await workspaceId(client, options.workspace)).search(words, { modes, path: options.path, limit })
  if (options.json === true) terminal.out(`${JSON.stringify(result)}\n`)
  else {
    for (const hit of result.items) terminal.out(line(hit))
    if (result.notice !== null) terminal.err(`${result.notice}\n`)
    if (result.items.length === 0) terminal.err('Nothing found.\n')
    else if (result.truncated) terminal.err('There is more; use more words, --path, or a higher --limit.\n')
  }
  return result.items.length > 0 ? EXIT.done : EXIT.error
}

function parseModes(text: string): readonly SearchMode[] {
  return text.split(',').map((name) => {
    const mode = SEARCH_MODES.find((known) => known === name.trim())
    if (mode === undefined) throw new CliError(`--mode: ${name} is not one of ${SEARCH_MODES.join(', ')}`, EXIT.usage)
    return mode
  })
}

/** One line a hit; of a passage its first one. */
function line({ path, line: number, excerpt }: SearchHit): string {
  const [first = ''] = excerpt.split('\n')
  return `${printable(path)}:${number}: ${first}\n`
}
