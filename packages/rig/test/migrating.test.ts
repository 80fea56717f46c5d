import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { beforeAll, describe, expect, it } from 'vitest'

const PACKAGE = join(import.meta.dirname, '..')
const DOCUMENT = readFileSync(join(PACKAGE, 'MIGRATING.md'), 'utf8')
/** Every public name of Rig 0.29: modules, items, their methods, and the variants and fields of what is no type of a provider's wire. */
const RIG_NAMES: readonly string[] = JSON.parse(readFileSync(join(import.meta.dirname, 'rig-0.29-names.json'), 'utf8'))

interface Row {
  readonly rig: string
  readonly ours: string
  readonly notes: string
}

const ROWS: readonly Row[] = DOCUMENT.slice(DOCUMENT.indexOf('## All names')).split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, rig = '', ours = '', notes = '']) => ({ rig, ours, notes }))

const isOfThePlatform = (name: string): boolean => (name.split('.')[0] ?? '') in globalThis
const quoted = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')

/** `a::{self, b::{c, d}}` as Rust reads it in a `use`. */
function expand(path: string): readonly string[] {
  const open = path.indexOf('{')
  if (open < 0) return [path]
  const close = closingBrace(path, open)
  const before = path.slice(0, open)
  return atTopLevel(path.slice(open + 1, close)).flatMap((part) => expand((part === 'self' ? before.replace(/::$/, '') : before + part) + path.slice(close + 1)))
}

function closingBrace(path: string, open: number): number {
  let depth = 0
  for (let index = open; index < path.length; index++) {
    if (path[index] === '{') depth++
    if (path[index] === '}' && --depth === 0) return index
  }
  throw new TypeError(`${path}: a brace is not closed`)
}

function atTopLevel(list: string): readonly string[] {
  const parts = ['']
  let depth = 0
  for (const character of list) {
    if (character === '{') depth++
    if (character === '}') depth--
    if (character === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += character
  }
  return parts.map((part) => part.trim())
}

/** The examples, as files that exist for the compiler only. */
const EXAMPLES = new Map([...DOCUMENT.matchAll(/```ts\n([\s\S]*?)```/g)].map((match, index) => [join(PACKAGE, 'test', `migrating-example-${index}.ts`), match[1] ?? '']))

function compile(): ts.Program {
  const { exports } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { exports: Record<string, string> }
  const base = ts.readConfigFile(join(PACKAGE, '../../tsconfig.base.json'), (path) => ts.sys.readFile(path))
  const { options } = ts.parseJsonConfigFileContent(base.config, ts.sys, PACKAGE)
  const host = ts.createCompilerHost(options)
  return ts.createProgram({
    rootNames: [...Object.values(exports).map((path) => join(PACKAGE, path)), ...EXAMPLES.keys()],
    options,
    host: {
      ...host,
      fileExists: (path) => EXAMPLES.has(path) || host.fileExists(path),
      readFile: (path) => EXAMPLES.get(path) ?? host.readFile(path),
      getSourceFile: (path, language) => {
        const example = EXAMPLES.get(path)
        return example === undefined ? host.getSourceFile(path, language) : ts.createSourceFile(path, example, language)
      },
    },
  })
}

/** Answers whether `Agent.prompt`, `openai.Client.fromEnv` and the like can be reached from an entry point. */
class Names {
  readonly #checker: ts.TypeChecker
  readonly #exported: ReadonlyMap<string, ts.Symbol>

  constructor(program: ts.Program) {
    this.#checker = program.getTypeChecker()
    const entryPoints = program.getRootFileNames().filter((path) => !EXAMPLES.has(path)).flatMap((path) => program.getSourceFile(path) ?? [])
    const exports = entryPoints.flatMap((file) => this.#exportsOf(this.#checker.getSymbolAtLocation(file)))
    this.#exported = new Map(exports.map((symbol) => [symbol.name, symbol]))
  }

  has(name: string): boolean {
    const [first = '', ...rest] = name.split('.')
    const start = this.#exported.get(first)
    return start !== undefined && this.#reaches([start], rest)
  }

  #reaches(symbols: readonly ts.Symbol[], path: readonly string[]): boolean {
    const [next, ...rest] = path
    if (next === undefined) return symbols.length > 0
    return this.#reaches(symbols.flatMap((symbol) => this.#members(symbol).filter((member) => member.name === next)), rest)
  }

  /** Of a namespace its exports; of a class, an interface or a union what its instances have, and what stands on the class itself. */
  #members(symbol: ts.Symbol): readonly ts.Symbol[] {
    const target = symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol
    if (target.flags & ts.SymbolFlags.Module) return this.#exportsOf(target)
    const instance = target.flags & ts.SymbolFlags.Type ? [this.#checker.getDeclaredTypeOfSymbol(target)] : []
    const value = target.flags & ts.SymbolFlags.Value ? [this.#checker.getTypeOfSymbol(target)] : []
    return [...instance, ...value].flatMap((type) => (type.isUnion() ? type.types : [type])).flatMap((type) => this.#checker.getPropertiesOfType(type))
  }

  #exportsOf(symbol: ts.Symbol | undefined): readonly ts.Symbol[] {
    return symbol === undefined ? [] : this.#checker.getExportsOfModule(symbol)
  }
}

describe('the table of names', () => {
  const listed = ROWS.flatMap((row) => quoted(row.rig).flatMap(expand))

  it('has every public name of Rig 0.29', () => {
    expect(RIG_NAMES.length).toBeGreaterThan(2000)
    const known = new Set(listed)
    expect(RIG_NAMES.filter((name) => !known.has(name))).toEqual([])
  })

  it('has no name that Rig does not have', () => {
    const known = new Set(RIG_NAMES)
    expect(listed.filter((name) => !known.has(name))).toEqual([])
  })

  it('says of each where it went: to a name of ours, or nowhere and what to do instead', () => {
    for (const { rig, ours, notes } of ROWS) {
      if (ours === 'no equivalent') expect(notes, rig).not.toBe('')
      else expect(quoted(ours), rig).not.toEqual([])
    }
  })
})

describe('what the document says of this package', () => {
  let program: ts.Program
  beforeAll(() => {
    program = compile()
  })

  it('names only what exists', () => {
    const names = new Names(program)
    const isName = (text: string): boolean => /^[A-Za-z_]\w*(\.\w+)*$/.test(text)
    const mentioned = ROWS.flatMap(({ ours, notes }) => [...quoted(ours), ...quoted(notes).filter((text) => isName(text) && !isOfThePlatform(text))])
    expect([...new Set(mentioned)].filter((name) => !names.has(name))).toEqual([])
  })

  it('speaks in its text of types and hooks that exist', () => {
    const names = new Names(program)
    const text = DOCUMENT.slice(0, DOCUMENT.indexOf('## All names')).replaceAll(/```[\s\S]*?```/g, '')
    const mentioned = quoted(text).flatMap((name) => (/^[A-Z]\w*(\.\w+)?$/.test(name) ? [name] : /^on[A-Z]\w*$/.test(name) ? [`AgentHook.${name}`] : []))
    expect(mentioned).toContain('AgentHook.onToolCall')
    expect(mentioned.filter((name) => !names.has(name) && !isOfThePlatform(name))).toEqual([])
  })

  it('shows examples that compile', () => {
    expect(EXAMPLES.size).toBe(5)
    const problems = [...EXAMPLES.keys()].flatMap((path) => {
      const file = program.getSourceFile(path)
      return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
    })
    expect(problems).toEqual([])
  })
})
