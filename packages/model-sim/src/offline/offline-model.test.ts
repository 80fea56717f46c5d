import { describe, expect, it } from 'vitest'
import { streamEvents, talk, user, withSim, type Call, type Talk, type TalkOptions } from '../../test/sim-client.ts'

/** Files as a workspace would hold them, with just enough behind each tool for the model to work with. */
class SmallWorkspace {
  readonly files: Map<string, string>

  constructor(files: Record<string, string> = {}) {
    this.files = new Map(Object.entries(files))
  }

  readonly run = ({ name, arguments: given }: Call): unknown => {
    const path = String(given['path'] ?? '')
    switch (name) {
      case 'grep':
        return { matches: this.#grep(new RegExp(String(given['pattern']), given['case_sensitive'] === true ? '' : 'i')), truncated: false }
      case 'read':
        return this.#read(path, { offset: Number(given['offset'] ?? 0), limit: Number(given['limit'] ?? 500) })
      case 'write':
        if (this.files.has(path) && given['overwrite'] !== true) return `conflict: ${path} already exists. Pass overwrite: true to write a new version.`
        this.files.set(path, String(given['content']))
        return { path, version: 1 }
      case 'ls':
        return { path, entries: [...this.files.keys()].map((file) => ({ name: file.split('/').at(-1), path: file, file_type: 'document' })) }
      default:
        return { path }
    }
  }

  #grep(pattern: RegExp): object[] {
    return [...this.files].flatMap(([path, text]) => text.split('\n').flatMap((line, index) => (pattern.test(line) ? [{ path, line_number: index + 1, line_text: line }] : [])))
  }

  #read(path: string, { offset, limit }: { offset: number; limit: number }): unknown {
    const lines = this.files.get(path)?.split('\n')
    if (lines === undefined) return `not_found: ${path} does not exist`
    return { path, content: lines.slice(offset, offset + limit).join('\n'), hash: 'h', total_lines: lines.length, truncated: false }
  }
}

const offline = (prompt: string, options: TalkOptions): Promise<Talk> => withSim({}, (sim) => talk(sim, prompt, options))
const names = ({ steps }: Talk): string[] => steps.map((step) => step.map((call) => call.name).join('+'))
const SOURCES = {
  '/src/store.ts': `${'// nothing\n'.repeat(40)}/** Keeps every version. */\nexport class VersionStore {\n  put() {}\n}\n\nexport function openStore() {}\n`,
  '/src/use.ts': "import { VersionStore } from './store.ts'\nnew VersionStore()\n",
  '/test/store.test.ts': 'class VersionStore {}\n',
}

describe('find where X is defined and write a summary to a file', () => {
  it('searches for the definition, reads around the best hits, writes what it saw and answers', async () => {
    const workspace = new SmallWorkspace(SOURCES)
    const found = await offline('find where VersionStore is defined and write a summary to /notes.md', { run: workspace.run })
    expect(names(found)).toEqual(['grep', 'read+read', 'write'])
    expect(found.steps[1]?.[0]?.arguments).toMatchObject({ path: '/src/store.ts', offset: 29 })
    const notes = workspace.files.get('/notes.md') ?? ''
    expect(notes).toContain('# Where `VersionStore` is defined')
    expect(notes).toContain('- Line 42: `export class VersionStore {`')
    expect(notes).toContain('The comment above it says: nothing')
    expect(notes).toContain('Keeps every version.')
    expect(notes).toContain('`openStore`')
    expect(found.text).toContain('VersionStore is defined in /src/store.ts, line 42')
    expect(found.text).toContain('I wrote /notes.md')
    expect(found.thoughts).toHaveLength(3)
  })

  it.each(['Find where "VersionStore" is defined and write a summary to /notes.md.', 'please find where the class `VersionStore` is declared, then write a short summary to notes.md', 'Find the definition of VersionStore. Write a summary of what you found to "/notes.md"'])(
    'understands: %s',
    async (prompt) => {
      const workspace = new SmallWorkspace(SOURCES)
      await offline(prompt, { run: workspace.run })
      expect(workspace.files.get('/notes.md')).toContain('/src/store.ts')
    },
  )

  it('looks for the bare name when nothing looks like a definition, and writes so when there is nothing', async () => {
    const workspace = new SmallWorkspace({ '/a.conf': 'main_port = 80\n' })
    const loose = await offline('find where main_port is defined and write a summary to /one.md', { run: workspace.run })
    const nothing = await offline('find where Unheard is defined and write a summary to /two.md', { run: workspace.run })
    expect(names(loose)).toEqual(['grep', 'grep', 'read', 'write'])
    expect(names(nothing)).toEqual(['grep', 'grep', 'write'])
    expect(workspace.files.get('/two.md')).toContain('I found nothing about `Unheard`')
    expect(nothing.text).toContain('I found no line with Unheard')
  })

  it('writes over a file that exists already, as a new version', async () => {
    const workspace = new SmallWorkspace({ ...SOURCES, '/notes.md': 'old' })
    const found = await offline('find where VersionStore is defined and write a summary to /notes.md', { run: workspace.run })
    expect(names(found)).toEqual(['grep', 'read+read', 'write', 'write'])
    expect(found.steps[3]?.[0]?.arguments['overwrite']).toBe(true)
    expect(found.text).toContain('I wrote a new version of /notes.md')
  })
})

describe('writes', () => {
  it('several files side by side, with exactly the words that were given', async () => {
    const workspace = new SmallWorkspace()
    const found = await offline('create /a.md with the text "One, and two; then\nthree" and /b.md with “Zwei”', { run: workspace.run })
    expect(names(found)).toEqual(['write+write'])
    expect(Object.fromEntries(workspace.files)).toEqual({ '/a.md': 'One, and two; then\nthree', '/b.md': 'Zwei' })
  })

  it('N files under a folder, some steps with one and some with two, or as many at a time as asked', async () => {
    const workspace = new SmallWorkspace()
    const found = await offline('write 20 files under /out', { run: workspace.run })
    const paired = await offline('write 4 files under /pairs, 2 at a time', { run: workspace.run })
    expect(workspace.files.size).toBe(24)
    expect(new Set(names(found))).toEqual(new Set(['write', 'write+write']))
    expect(names(paired)).toEqual(['write+write', 'write+write'])
    expect(found.text).toContain('20 of 20 files, /out/file-01.md to /out/file-20.md')
  })

  it.each([
    ['write hello world to /h.txt', '/h.txt', 'hello world'],
    ['save "a b" in notes/x.md', '/notes/x.md', 'a b'],
    ['create a file called hello.txt containing Hello there.', '/hello.txt', 'Hello there'],
    ["write /q.md: 'it is'", '/q.md', 'it is'],
    ['write a file /code.md with the text ```\nline 1\nline 2\n```', '/code.md', 'line 1\nline 2\n'],
  ])('%s', async (prompt, path, content) => {
    const workspace = new SmallWorkspace()
    await offline(prompt, { run: workspace.run })
    expect(Object.fromEntries(workspace.files)).toEqual({ [path]: content })
  })

  it('says which file could not be written and why', async () => {
    const found = await offline('create /a.md with "x" and /b.md with "y"', { run: ({ arguments: given }) => (given['path'] === '/b.md' ? 'permission_denied: read-only' : { path: '/a.md' }) })
    expect(found.text).toContain('I wrote /a.md')
    expect(found.text).toContain('I could not write /b.md: permission_denied: read-only')
  })
})

describe('does one thing at a time', () => {
  it.each<[string, string, object]>([
    ['list /src', 'ls', { path: '/src' }],
    ['What files are in the workspace?', 'ls', { path: '/' }],
    ['list everything', 'ls', { path: '/', recursive: true }],
    ['read /x.md and summarise', 'read', { path: '/x.md' }],
    ['edit /x: replace "a b" with "c"', 'edit', { path: '/x', old_string: 'a b', new_string: 'c' }],
    ['replace foo with bar in /x.md', 'edit', { path: '/x.md', old_string: 'foo', new_string: 'bar' }],
    ['delete /x', 'rm', { path: '/x' }],
    ['delete the folder /x', 'rm', { path: '/x', recursive: true }],
    ['rename /a to /b', 'mv', { source: '/a', destination: '/b' }],
    ['create a folder /docs/new', 'mkdir', { path: '/docs/new' }],
    ['touch /t.md', 'touch', { path: '/t.md' }],
    ['how big is /t.md?', 'file_info', { path: '/t.md' }],
    ['find all *.ts files', 'glob', { pattern: '**/*.ts' }],
    ['search for "a.b(" in /src', 'grep', { pattern: 'a\\.b\\(', path_pattern: '/src' }],
  ])('%s', async (prompt, tool, given) => {
    const { steps } = await offline(prompt, { run: () => ({}) })
    expect(steps).toHaveLength(1)
    expect(steps[0]?.[0]).toMatchObject({ name: tool, arguments: given })
  })

  it('and several in the order in which they were asked for', async () => {
    const found = await offline('create a folder /d, then edit /x.md and replace foo with bar, delete /y and list /d', { run: () => ({ entries: [] }) })
    expect(names(found)).toEqual(['mkdir', 'edit', 'rm', 'ls'])
  })
})

describe('speaks', () => {
  it('says what it is when greeted, asked, or at a loss', async () => {
    for (const prompt of ['Hello!', 'who are you?', 'sing me a song']) {
      const found = await offline(prompt, { run: () => '' })
      expect(found.text).toContain('I am the offline model')
      expect(found.steps).toEqual([])
    }
  })

  it('summarises what it read, in this turn or in an earlier one', async () => {
    const workspace = new SmallWorkspace({ '/README.md': '# Boats\n\nAll about boats.\n\n## Sails\n\n## Oars\n' })
    await withSim({}, async (sim) => {
      const first = await talk(sim, 'read /README.md and summarise it', { run: workspace.run })
      const second = await talk(sim, 'summarise it', { run: workspace.run, history: first.input })
      for (const found of [first, second]) expect(found.text).toContain('Its title is "Boats". It begins: "All about boats." Sections: Sails, Oars.')
      expect(second.steps).toEqual([])
    })
  })

  it('draws up a plan and writes it where it is wanted', async () => {
    const workspace = new SmallWorkspace()
    const found = await offline('make a plan for the release and write it to /plan.md', { run: workspace.run })
    expect(found.text).toContain('# Plan: the release')
    expect(workspace.files.get('/plan.md')).toMatch(/^# Plan: the release\n\n1\. /)
  })

  it('streams many small deltas', () =>
    withSim({}, async (sim) => {
      const events = await streamEvents(sim, { model: 'rules', input: [user('hello')] })
      const deltas = events.filter((event) => event['type'] === 'response.output_text.delta')
      expect(deltas.length).toBeGreaterThan(50)
      expect(Math.max(...deltas.map((event) => String(event['delta']).length))).toBeLessThan(16)
    }))

  it('says which tool it lacks instead of calling one that it was not offered', async () => {
    const found = await offline('list /', { run: () => '', tools: ['read'] })
    expect(found.steps).toEqual([])
    expect(found.text).toContain('I would need the tool `ls`')
  })
})

it('continues from history on a server that has never seen the conversation', async () => {
  const workspace = new SmallWorkspace(SOURCES)
  const whole = await offline('find where VersionStore is defined and write a summary to /notes.md', { run: workspace.run })
  const notes = workspace.files.get('/notes.md')
  workspace.files.delete('/notes.md')
  const half = whole.input.slice(0, whole.input.findLastIndex((item) => item['type'] === 'function_call' && item['name'] === 'write') - 1)
  await withSim({}, async (sim) => {
    const tools = ['grep', 'read', 'write'].map((name) => ({ type: 'function', name }))
    const reply = await fetch(`${sim.url}/responses`, { method: 'POST', body: JSON.stringify({ model: 'rules', input: half, tools }) })
    const { output } = (await reply.json()) as { output: { name?: string; arguments?: string }[] }
    expect(output.at(-1)?.name).toBe('write')
    expect(JSON.parse(output.at(-1)?.arguments ?? '')).toEqual({ path: '/notes.md', content: notes })
  })
})

it('keeps calls of one answer together even when a client puts each output behind its call', async () => {
  const workspace = new SmallWorkspace()
  await withSim({}, async (sim) => {
    const { input } = await talk(sim, 'create /a.md with "x" and /b.md with "y"', { run: workspace.run })
    const [prompt, reasoning, first, second, firstOutput, secondOutput] = input
    const reordered = [prompt, reasoning, first, firstOutput, second, secondOutput]
    const events = await streamEvents(sim, { model: 'rules', input: reordered })
    expect(JSON.stringify(events.at(-1))).toContain('I wrote /b.md')
  })
})
