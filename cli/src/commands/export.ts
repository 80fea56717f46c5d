import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import { type CliContext, workspaceId } from '../connect.ts'

export interface ExportOptions {
  readonly workspace: string
  readonly path: string
  readonly output?: string
}

/** `buildscale export`: a folder of the workspace as a tar, to a file or to stdout. */
export async function exportFolder({ client, terminal }: CliContext, { workspace, path, output }: ExportOptions): Promise<ExitCode> {
  if (output === undefined && terminal.isOutTty) throw new CliError('An archive is nothing for a terminal: name a file with -o, or pipe it into another program.', EXIT.usage)
  const archive = Readable.fromWeb(await client.files(await workspaceId(client, workspace)).export(path))
  if (output === undefined) await pipeline(archive, process.stdout, { end: false })
  else await toFile(archive, output)
  return EXIT.done
}

/** Under a name of its own until it is whole, so that a cut leaves no half archive behind. */
async function toFile(archive: Readable, output: string): Promise<void> {
  const partial = `${output}.${randomUUID()}.partial`
  try {
    await pipeline(archive, createWriteStream(partial, { flags: 'wx' }))
    await rename(partial, output)
  } catch (error) {
    await rm(partial, { force: true })
    if (error instanceof Error && 'syscall' in error) throw new CliError(`The archive cannot be written: ${error.message}`)
    throw error
  }
}
