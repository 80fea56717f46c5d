import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RECORD_LIMIT_BYTES, RecordSplitter, type RipgrepRun, runRipgrep } from './ripgrep-process.ts'

describe('running ripgrep', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'buildscale-rg-'))
    await writeFile(join(directory, 'a'), 'hit\n'.repeat(200_000))
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  const run = (changes: Partial<RipgrepRun> = {}): RipgrepRun => ({
    arguments: ['--no-config', '-e', 'hit', '--', './'], directory, separator: '\n', signal: new AbortController().signal, timeLimitMs: 20_000, ...changes,
  })

  it('gives every record, then the exit code', async () => {
    let count = 0
    expect(await runRipgrep(run(), () => ++count > 0)).toEqual({ type: 'finished', exitCode: 0, errorText: '', skippedRecords: 0 })
    expect(count).toBe(200_000)
  })

  it('ends when the reader has enough', async () => {
    let count = 0
    expect(await runRipgrep(run(), () => Promise.resolve(++count < 3))).toMatchObject({ type: 'stopped' })
    expect(count).toBe(3)
  })

  it('passes on what the reader rejects with', async () => {
    await expect(runRipgrep(run(), () => Promise.reject(new Error('the database is away')))).rejects.toThrow('the database is away')
  })

  it('rejects with the reason when it is aborted on the way', async () => {
    const abort = new AbortController()
    const reason = new Error('stopped')
    const ended = runRipgrep(run({ signal: abort.signal }), () => {
      abort.abort(reason)
      return true
    })
    await expect(ended).rejects.toBe(reason)
  })

  it('ends a run that takes too long', async () => {
    const slow = (): Promise<boolean> => new Promise((done) => setTimeout(() => done(true), 20))
    expect(await runRipgrep(run({ timeLimitMs: 60 }), slow)).toMatchObject({ type: 'time-limit' })
  })

  it('says so when it cannot start', async () => {
    await expect(runRipgrep(run({ directory: join(directory, 'not-there') }), () => true)).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('is not steered by its environment', async () => {
    const config = join(directory, 'config')
    await writeFile(config, '--invert-match\n')
    process.env['RIPGREP_CONFIG_PATH'] = config
    try {
      expect(await runRipgrep(run({ arguments: ['-e', 'nothing-like-this', '--', './a'] }), () => true)).toMatchObject({ exitCode: 1 })
    } finally {
      delete process.env['RIPGREP_CONFIG_PATH']
      await rm(config)
    }
  })
})

describe('cutting output into records', () => {
  const records = (splitter: RecordSplitter, ...chunks: readonly string[]): readonly string[] => chunks.flatMap((chunk) => [...splitter.add(Buffer.from(chunk))].map(String))

  it('does not care where the chunks end', () => {
    expect(records(new RecordSplitter('\n'), 'a', 'b\ncd', '\n', '\ne\n')).toEqual(['ab', 'cd', '', 'e'])
  })

  it('drops what has no end, because the process was ended in the middle of it', () => {
    expect(records(new RecordSplitter('\0'), 'a\0b')).toEqual(['a'])
  })

  it('leaves out and counts records that are too long, however they arrive', () => {
    const splitter = new RecordSplitter('\n')
    const half = 'x'.repeat(RECORD_LIMIT_BYTES / 2 + 1)
    expect(records(splitter, half, half, half, '\nok\n', `${half}${half}\nend\n`)).toEqual(['ok', 'end'])
    expect(splitter.skipped).toBe(2)
  })
})
