import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readEnvironment } from './environment.ts'

const PLACE = { isRoot: false, home: '/home/ada', cwd: '/projects' }

class DataDirectory implements Disposable {
  readonly path: string

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'buildscale-cli-test-'))
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true })
  }
}

describe('the environment of the command line', () => {
  it('finds the local server where it listens by default', () => {
    expect(readEnvironment({}, PLACE)).toEqual({ url: 'http://127.0.0.1:3000', token: undefined, dataDir: '/home/ada/.local/share/buildscale' })
    expect(readEnvironment({ PORT: '4000' }, PLACE).url).toBe('http://127.0.0.1:4000')
    expect(readEnvironment({ PORT: '' }, PLACE).url).toBe('http://127.0.0.1:3000')
  })

  it('takes another server', () => {
    expect(readEnvironment({ BUILDSCALE_URL: 'https://example.com/base/', PORT: '4000' }, PLACE).url).toBe('https://example.com/base')
  })

  it('asks the data directory where the server listens when the port was picked by the system', () => {
    using directory = new DataDirectory()
    writeFileSync(join(directory.path, 'server.json'), JSON.stringify({ pid: 1, postgres_pid: 2, url: 'http://127.0.0.1:45678' }))
    expect(readEnvironment({ PORT: '0', BUILDSCALE_DATA_DIR: directory.path }, PLACE).url).toBe('http://127.0.0.1:45678')
  })

  it('uses the data directory of the server, by the same rule', () => {
    expect(readEnvironment({ XDG_DATA_HOME: '/xdg' }, PLACE).dataDir).toBe('/xdg/buildscale')
    expect(readEnvironment({ XDG_DATA_HOME: 'relative' }, PLACE).dataDir).toBe('/home/ada/.local/share/buildscale')
    expect(readEnvironment({}, { ...PLACE, isRoot: true, home: '/root' }).dataDir).toBe('/var/lib/buildscale')
    expect(readEnvironment({ BUILDSCALE_DATA_DIR: 'data' }, PLACE).dataDir).toBe('/projects/data')
  })

  it('takes the token of the variable, else the one that the local server left', () => {
    using directory = new DataDirectory()
    writeFileSync(join(directory.path, 'local-token'), 'bs_local\n')
    const variables = { BUILDSCALE_DATA_DIR: directory.path }
    expect(readEnvironment(variables, PLACE).token).toBe('bs_local')
    expect(readEnvironment({ ...variables, BUILDSCALE_TOKEN: 'bs_given' }, PLACE).token).toBe('bs_given')
  })

  it.skipIf(process.getuid?.() === 0)('says what to do when the token file belongs to somebody else', () => {
    using directory = new DataDirectory()
    writeFileSync(join(directory.path, 'local-token'), 'secret')
    chmodSync(join(directory.path, 'local-token'), 0)
    expect(() => readEnvironment({ BUILDSCALE_DATA_DIR: directory.path }, PLACE)).toThrow('Set BUILDSCALE_TOKEN')
  })

  it.for([{ BUILDSCALE_URL: 'ftp://x' }, { BUILDSCALE_URL: 'localhost:3000' }, { PORT: 'http' }, { PORT: '99999' }])('refuses %j and names the variable', (variables) => {
    expect(() => readEnvironment(variables, PLACE)).toThrow(new RegExp(`^${Object.keys(variables)[0]} is not`))
  })
})
