/** Exit codes of every command; scripts rely on them. */
export const EXIT = { done: 0, error: 1, usage: 2, stopped: 3, waiting: 4 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** An end that the person at the terminal can understand as it is: printed without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode = EXIT.error) {
    super(message)
    this.exitCode = exitCode
  }
}
