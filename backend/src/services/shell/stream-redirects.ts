/**
 * Lets a script print command by command. The interpreter gives its output back when the whole script has ended, and none of a script that is ended in the
 * middle. So every command outside functions and substitutions gets two redirections in front of its own ones, which is what inheriting the streams means.
 */
import type { CommandNode, PipelineNode, ScriptNode, SimpleCommandNode, StatementNode } from 'just-bash'

type Redirection = SimpleCommandNode['redirections'][number]
type Compound = Exclude<CommandNode, SimpleCommandNode | { readonly type: 'FunctionDef' }>

export interface StreamPaths {
  readonly stdout: string
  readonly stderr: string
}

/** They print nothing, steer the script, or (`exec`) would keep the redirection. */
const LEFT_ALONE: ReadonlySet<string> = new Set(['exec', 'exit', 'return', 'break', 'continue', ':', 'true', 'false', 'set', 'shift', 'unset', 'local', 'export', 'read', 'cd'])
/** A loop that only reads from a file still prints to the script's streams. */
const INPUT_OPERATORS: ReadonlySet<string> = new Set(['<', '<<', '<<-', '<<<'])

export function withStreams(script: ScriptNode, paths: StreamPaths): ScriptNode {
  return { ...script, statements: new StreamRedirects(paths).statements(script.statements) }
}

class StreamRedirects {
  readonly #stdout: Redirection
  readonly #stderr: Redirection

  constructor({ stdout, stderr }: StreamPaths) {
    this.#stdout = appendTo(1, stdout)
    this.#stderr = appendTo(2, stderr)
  }

  statements(statements: readonly StatementNode[]): StatementNode[] {
    return statements.map((statement) => ({ ...statement, pipelines: statement.pipelines.map((pipeline) => this.#pipeline(pipeline)) }))
  }

  #pipeline(pipeline: PipelineNode): PipelineNode {
    const { commands, pipeStderr } = pipeline
    const last = commands.length - 1
    return {
      ...pipeline,
      commands: commands.map((command, index) => {
        if (last === 0) return this.#command(command)
        // Only the last one prints; `|&` sends errors along.
        return redirected(command, [...(index === last ? [this.#stdout] : []), ...(pipeStderr?.[index] === true ? [] : [this.#stderr])])
      }),
    }
  }

  #command(command: CommandNode): CommandNode {
    if (command.type === 'FunctionDef') return command
    if (command.type === 'SimpleCommand') return isLeftAlone(command) ? command : redirected(command, [this.#stdout, this.#stderr])
    if (command.redirections.some(({ operator }) => !INPUT_OPERATORS.has(operator))) return redirected(command, [this.#stdout, this.#stderr])
    return this.#inside(command)
  }

  /** Each command in a loop or a branch prints for itself. */
  #inside(command: Compound): Compound {
    switch (command.type) {
      case 'If': {
        const clauses = command.clauses.map(({ condition, body }) => ({ condition: this.statements(condition), body: this.statements(body) }))
        return { ...command, clauses, elseBody: command.elseBody === null ? null : this.statements(command.elseBody) }
      }
      case 'While':
      case 'Until':
        return { ...command, condition: this.statements(command.condition), body: this.statements(command.body) }
      case 'For':
      case 'CStyleFor':
      case 'Group':
      case 'Subshell':
        return { ...command, body: this.statements(command.body) }
      case 'Case':
        return { ...command, items: command.items.map((item) => ({ ...item, body: this.statements(item.body) })) }
      case 'ArithmeticCommand':
      case 'ConditionalCommand':
        return command
    }
  }
}

function isLeftAlone({ name }: SimpleCommandNode): boolean {
  const part = name?.parts[0]
  // Without a name it is an assignment.
  return part === undefined || (part.type === 'Literal' && LEFT_ALONE.has(part.value))
}

function redirected<Command extends CommandNode>(command: Command, redirections: readonly Redirection[]): Command {
  return command.type === 'FunctionDef' ? command : { ...command, redirections: [...redirections, ...command.redirections] }
}

function appendTo(fd: number, path: string): Redirection {
  return { type: 'Redirection', fd, operator: '>>', target: { type: 'Word', parts: [{ type: 'Literal', value: path }] } }
}
