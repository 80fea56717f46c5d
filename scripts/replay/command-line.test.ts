import { describe, expect, it } from 'vitest'
import { replayCommand } from './command-line.ts'
import { makeModel } from './make-model.ts'
import { exchangeOf, RecordingFolder, recordingOf, WIRE } from './testing/recordings.ts'

const wire = WIRE.chat
const good = recordingOf([exchangeOf(wire, wire.request({ conversation: [wire.user('Hi')] }), { said: { text: 'Hello.' }, number: 1 })])

async function command(...args: readonly string[]) {
  const lines: string[] = []
  const complaints: string[] = []
  const code = await replayCommand(args, { write: (line) => lines.push(line), complain: (line) => complaints.push(line), makeModel })
  return { code, lines, complaints: complaints.join('\n') }
}

describe('npm run replay', () => {
  it('says per file and in all what came of it, as JSON', async () => {
    using folder = new RecordingFolder()
    folder.write('a.yaml', good)
    folder.write('b.yml', 'no: recording')
    const { code, lines } = await command(folder.path, '--json')
    expect(code).toBe(1)
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      { file: 'a.yaml', ok: true, caller_input: false, exchanges: 1, mismatches: [] },
      { file: 'b.yml', ok: false, caller_input: false, exchanges: 0, mismatches: [{ exchange: 0, path: 'recording', expected: '(absent)', actual: expect.any(String) }] },
      { total: 2, failed: 1 },
    ])
  })

  it('says it in words, with what does not match below its file', async () => {
    using folder = new RecordingFolder()
    folder.write('a.yaml', good)
    folder.write('b.yaml', good.replace('*/*', 'text/plain'))
    const { code, lines } = await command(folder.path)
    expect(code).toBe(1)
    expect(lines).toEqual([
      'ok   a.yaml (1 exchange)',
      'FAIL b.yaml (1 exchange)',
      '       exchange 0, headers.accept: expected "text/plain", got "*/*"',
      '1 of 2 files replayed as recorded, 1 failed',
    ])
  })

  it.each([[[]], [['--decode']], [['--json', '--decode', '--timeout', '5']]])('ends well when everything is as recorded: %j', async (options) => {
    using folder = new RecordingFolder()
    folder.write('a.yaml', good)
    expect(await command(folder.path, ...options)).toMatchObject({ code: 0, complaints: '' })
  })

  it('takes a single file too', async () => {
    using folder = new RecordingFolder()
    expect(await command(folder.write('one.yaml', good))).toMatchObject({ code: 0, lines: ['ok   one.yaml (1 exchange)', '1 of 1 file replayed as recorded'] })
  })

  it('tells how it is called', async () => {
    expect((await command('--help')).lines.join('\n')).toContain('--decode')
  })

  it.each([
    [[], 'name one folder'],
    [['/nowhere/at/all'], 'there is no folder /nowhere/at/all'],
    [['a', 'b'], 'name one folder'],
    [['.', '--jsn'], '--jsn'],
    [['.', '--timeout', 'soon'], 'a number of seconds'],
  ])('complains about %j', async (args, complaint) => {
    const { code, complaints } = await command(...args)
    expect(code).toBe(2)
    expect(complaints).toContain(complaint)
  })

  it('complains about a folder without recordings', async () => {
    using folder = new RecordingFolder()
    expect(await command(folder.path)).toMatchObject({ code: 2, complaints: expect.stringContaining('no .yaml files') })
  })
})
