/** The `buildscale` command as a process. */
import { runProgram } from './program.ts'
import { processTerminal } from './terminal.ts'

// `buildscale run … | head` closes our stdout early: nobody reads on, so we end without a word.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

process.exitCode = await runProgram(process.argv.slice(2), processTerminal())
