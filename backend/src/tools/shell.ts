import { AppError } from '../errors.ts'
import { parsePath } from '../services/files/file-path.ts'
import { applyShellPlan, type ShellChange } from '../services/shell/apply-shell-plan.ts'
import type { ShellOutput } from '../services/shell/shell-protocol.ts'
import { streamText } from '../services/shell/stream-capture.ts'
import { requireEntry } from './find-entry.ts'
import { defineWriteTool } from './tool.ts'
import { longText, optionalInteger, optionalText, toolArguments } from './tool-arguments.ts'

const STANDARD_SECONDS = 30
const MOST_SECONDS = 300
const LISTED_CHANGES = 100

export const shellTool = defineWriteTool({
  name: 'shell',
  description:
    'Run a bash script over the workspace, whose root is "/": pipes, loops and functions with ls, cat, grep, rg, sed, awk, find, xargs, sort, jq, yq, diff, tar and the like. It is simulated: no network, ' +
    'no other programs, no symlinks. Files that it changes become versions together when it has ended; /tmp is thrown away. For many or mechanical changes; to read or edit one file, use read and edit.',
  arguments: toolArguments({
    command: longText('The script, in bash syntax; may have many lines.'),
    cwd: optionalText('The folder to start in. Default "/".'),
    timeout_s: optionalInteger(`End the script after this many seconds. Default ${STANDARD_SECONDS}, at most ${MOST_SECONDS}.`, { min: 1 }),
    stdin: optionalText('Text that the script can read from standard input.'),
  }),
  async prepare({ command, cwd: asked, timeout_s: seconds, stdin }, context) {
    checkCommand(command)
    const cwd = parsePath(asked ?? '/')
    if ((await requireEntry(context, cwd)).file_type !== 'folder') throw new AppError('conflict', `cwd "${cwd}" is a file. Give a folder to start in.`)
    const timeMs = Math.min(seconds ?? STANDARD_SECONDS, MOST_SECONDS) * 1000
    const run = await context.shell.run(context, { command, cwd, stdin: stdin ?? '', timeMs })
    if (run.type === 'stopped') throw stopped(run.reason, run.output)
    return { plan: run.plan, exitCode: run.exitCode, output: texts(run.output) }
  },
  async apply({ plan, exitCode, output }, set) {
    const changes = await applyShellPlan(set, plan)
    const { stdout, stderr, leftOut } = output
    const notice = [
      leftOut > 0 ? 'The middle of the output was left out: filter it, or write it to a file and read that.' : null,
      changes.length > LISTED_CHANGES ? `Only ${LISTED_CHANGES} of ${changes.length} changes are listed.` : null,
      plan.scratchFiles > 0 ? `What the script wrote to /tmp (files: ${plan.scratchFiles}) is gone; write what shall stay elsewhere.` : null,
    ].filter((part) => part !== null)
    return {
      exit_code: exitCode,
      stdout,
      stderr,
      changes: changes.slice(0, LISTED_CHANGES) satisfies readonly ShellChange[],
      truncated: leftOut > 0 || changes.length > LISTED_CHANGES,
      notice: notice.length === 0 ? null : notice.join(' '),
    }
  },
})

function checkCommand(command: string): void {
  if (command.trim() === '') throw new AppError('invalid_request', 'command is empty. Give a script in bash syntax, for example: grep -rn TODO /src | wc -l')
  if (command.includes('\0')) throw new AppError('invalid_request', 'command contains a NUL character, which no script can. In printf write \\0.')
  if (!command.isWellFormed()) throw new AppError('invalid_request', 'command is not valid Unicode: it holds half of a surrogate pair.')
}

function texts(output: ShellOutput) {
  const stdout = streamText(output.stdout)
  const stderr = streamText(output.stderr)
  return { stdout: stdout.text, stderr: stderr.text, leftOut: stdout.leftOut + stderr.leftOut }
}

function stopped(reason: string, output: ShellOutput): AppError {
  const { stdout, stderr } = texts(output)
  const advice = reason.startsWith('the time limit') ? 'Let it do less, or give a larger timeout_s.' : 'Let it do less at once.'
  const printed = [stdout === '' ? '' : `\nstdout until then:\n${stdout}`, stderr === '' ? '' : `\nstderr until then:\n${stderr}`].join('')
  return new AppError('unavailable', `The script was ended: ${reason}. Nothing that it wrote was kept. ${advice}${printed === '' ? ' It had printed nothing.' : printed}`)
}
