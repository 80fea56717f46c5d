import { describe, expect, it } from 'vitest'
import { type ConfigPlace, DEFAULT_LIMITS, readConfig } from './config.ts'
import { ConfigError } from './errors.ts'

const ada: ConfigPlace = { isRoot: false, home: '/home/ada', cwd: '/home/ada/clone' }
const root: ConfigPlace = { isRoot: true, home: '/root', cwd: '/root/clone' }

it('needs nothing: an empty environment serves on loopback with the embedded database and the offline model', () => {
  expect(readConfig({}, ada)).toEqual({
    host: '127.0.0.1',
    port: 3000,
    allowedHosts: [],
    dataDir: '/home/ada/.local/share/buildscale',
    databaseUrl: undefined,
    model: undefined,
    embeddingModel: undefined,
    providers: { openai: undefined, anthropic: undefined, openrouter: undefined, ollama: undefined },
    workspaceQuotaBytes: null,
    web: { allowed: { hosts: new Set(), ranges: [] }, searxngUrl: undefined, braveApiKey: undefined, tavilyApiKey: undefined },
    limits: DEFAULT_LIMITS,
    logLevel: 'info',
  })
})

it('takes an empty variable for one that is not set', () => {
  expect(readConfig({ PORT: '', HOST: '', DATABASE_URL: '', OPENAI_API_KEY: '' }, ada)).toEqual(readConfig({}, ada))
})

it('cannot be changed after it was read', () => {
  const config = readConfig({ OPENAI_API_KEY: 'k' }, ada)
  for (const part of [config, config.limits, config.providers, config.providers.openai]) expect(Object.isFrozen(part)).toBe(true)
})

describe('the data directory', () => {
  it.each([
    { rule: 'follows XDG_DATA_HOME', variables: { XDG_DATA_HOME: '/data/ada' }, place: ada, expected: '/data/ada/buildscale' },
    { rule: 'ignores a relative XDG_DATA_HOME, as its specification says', variables: { XDG_DATA_HOME: 'data' }, place: ada, expected: '/home/ada/.local/share/buildscale' },
    { rule: 'of root is one that the user of the database can reach', variables: { XDG_DATA_HOME: '/root/.data' }, place: root, expected: '/var/lib/buildscale' },
    { rule: 'is what BUILDSCALE_DATA_DIR says, for root too', variables: { BUILDSCALE_DATA_DIR: '/srv/bs', XDG_DATA_HOME: '/x' }, place: root, expected: '/srv/bs' },
    { rule: 'given as a relative path belongs to the current directory', variables: { BUILDSCALE_DATA_DIR: 'data' }, place: ada, expected: '/home/ada/clone/data' },
  ])('$rule', ({ variables, place, expected }) => {
    expect(readConfig(variables, place).dataDir).toBe(expected)
  })
})

describe('providers', () => {
  it('are configured by their key', () => {
    const { providers } = readConfig({ OPENAI_API_KEY: 'a', ANTHROPIC_API_KEY: 'b', OPENROUTER_API_KEY: 'c' }, ada)
    expect([providers.openai?.apiKey, providers.anthropic?.apiKey, providers.openrouter?.apiKey]).toEqual(['a', 'b', 'c'])
  })

  it('may be configured by a base URL alone, whose closing slash does not matter', () => {
    const { providers } = readConfig({ OPENAI_BASE_URL: 'http://127.0.0.1:4000/v1/', OLLAMA_BASE_URL: 'http://localhost:11434' }, ada)
    expect(providers.openai).toEqual({ apiKey: undefined, baseUrl: 'http://127.0.0.1:4000/v1' })
    expect(providers.ollama).toEqual({ apiKey: undefined, baseUrl: 'http://localhost:11434' })
  })
})

describe('the web', () => {
  it('has search services by address and by key, and places that the operator allows', () => {
    const { web } = readConfig({ BUILDSCALE_SEARXNG_URL: 'http://127.0.0.1:8888/', BRAVE_API_KEY: 'b', TAVILY_API_KEY: 't', BUILDSCALE_WEB_ALLOW: 'Wiki.example.com, 10.1.0.0/16,[::1]' }, ada)
    expect(web).toMatchObject({ searxngUrl: 'http://127.0.0.1:8888', braveApiKey: 'b', tavilyApiKey: 't' })
    expect([...web.allowed.hosts]).toEqual(['wiki.example.com'])
    expect(web.allowed.ranges.map(([address, bits]) => `${address.toString()}/${bits}`)).toEqual(['10.1.0.0/16', '::1/128'])
  })
})

describe('mistakes', () => {
  it.each([
    ['PORT', 'http'],
    ['BUILDSCALE_WEB_ALLOW', 'http://wiki'],
    ['BUILDSCALE_WEB_ALLOW', '10.0.0.0/33'],
    ['BUILDSCALE_SEARXNG_URL', 'searx'],
    ['BRAVE_API_KEY', 'a b'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '3000.5'],
    ['HOST', 'http://127.0.0.1'],
    ['DATABASE_URL', 'mysql://localhost/x'],
    ['DATABASE_URL', 'localhost'],
    ['OPENAI_BASE_URL', 'api.openai.com'],
    ['OPENAI_API_KEY', 'two words'],
    ['OLLAMA_BASE_URL', 'ftp://localhost'],
    ['BUILDSCALE_MODEL', 'gpt 4o'],
    ['BUILDSCALE_LOG_LEVEL', 'loud'],
  ])('in %s (%s) are named with the variable and end with exit code 2', (name, value) => {
    const error = caught(() => readConfig({ [name]: value }, ada))
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringMatching(new RegExp(`^${name} (is|holds) `)) as unknown })
  })

  it('are named all at once', () => {
    const error = caught(() => readConfig({ PORT: 'x', DATABASE_URL: 'y' }, ada))
    expect(String(error)).toMatch(/PORT .*\nDATABASE_URL /s)
  })

  it('never repeat a secret', () => {
    const error = caught(() => readConfig({ OPENAI_API_KEY: 'sk-very secret', DATABASE_URL: 'mysql://me:hunter2@db/x' }, ada))
    expect(String(error)).not.toMatch(/sk-very|hunter2/)
  })
})

function caught(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}

it('reads host names from a list and refuses what is none', () => {
  expect(readConfig({ BUILDSCALE_ALLOWED_HOSTS: 'build.example.com, nas.local' }, ada).allowedHosts).toEqual(['build.example.com', 'nas.local'])
  expect(() => readConfig({ BUILDSCALE_ALLOWED_HOSTS: 'http://x/' }, ada)).toThrow('BUILDSCALE_ALLOWED_HOSTS')
})

it('wants the model of the search by meaning with its provider', () => {
  expect(readConfig({ BUILDSCALE_EMBEDDING_MODEL: 'ollama:nomic-embed-text:v1.5' }, ada).embeddingModel).toBe('ollama:nomic-embed-text:v1.5')
  expect(() => readConfig({ BUILDSCALE_EMBEDDING_MODEL: 'nomic-embed-text' }, ada)).toThrow('BUILDSCALE_EMBEDDING_MODEL is not provider:model: write for example openai:text-embedding-3-small')
})
