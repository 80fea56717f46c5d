import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { z } from 'zod'
import { ConfigError } from './errors.ts'
import { parseAllowList, type WebAllowList } from './services/web/address-guard.ts'
import type { WebSearchSettings } from './services/web/web-search.ts'

/** A provider that is configured: its key, its base URL, or both. */
export interface ProviderConfig {
  readonly apiKey: string | undefined
  /** Without a closing slash, with the version part (`…/v1`), as the official clients take it. */
  readonly baseUrl: string | undefined
}

/** Bounds that the server as a whole has. Those of tools, paths and agents stand where they are kept. */
interface Limits {
  /** Longest time for one turn. */
  readonly turnMs: number
  /** The largest file. */
  readonly fileBytes: number
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  turnMs: 30 * 60_000,
  fileBytes: 1024 * 1024 * 1024,
})

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
type LogLevel = (typeof LOG_LEVELS)[number]

/** Everything that the environment decides, checked once. Its parts are passed down; nothing else reads the environment. */
export interface Config {
  readonly host: string
  /** 0: the operating system picks a free one. */
  readonly port: number
  /** Host names under which browsers may reach the server, besides loopback ones on a loopback address. */
  readonly allowedHosts: readonly string[]
  /** Absolute. */
  readonly dataDir: string
  /** Undefined: the embedded PostgreSQL in the data directory. */
  readonly databaseUrl: string | undefined
  /** `provider:model`, or a bare model name of the default provider. */
  readonly model: string | undefined
  /** `provider:model` of what makes vectors for the search by meaning. */
  readonly embeddingModel: string | undefined
  readonly providers: {
    readonly openai: ProviderConfig | undefined
    readonly anthropic: ProviderConfig | undefined
    readonly openrouter: ProviderConfig | undefined
    readonly ollama: ProviderConfig | undefined
  }
  /** What a new workspace may store, in bytes; null: no limit. */
  readonly workspaceQuotaBytes: number | null
  /** What tools may do with the web: places besides the public ones, and the search services. */
  readonly web: WebSearchSettings & { readonly allowed: WebAllowList }
  readonly limits: Limits
  readonly logLevel: LogLevel
}

/** What `readConfig` takes from the process besides its environment; tests give their own. */
export interface ConfigPlace {
  readonly isRoot: boolean
  readonly home: string
  readonly cwd: string
}

/** Secrets stay out of every message: a bad value of these is described, not shown. */
const url = (what: string, protocols: readonly string[]) =>
  z.string().refine((text) => protocols.includes(URL.parse(text)?.protocol ?? ''), { error: `is not ${what}` })

const httpUrl = url('a http:// or https:// URL, for example https://api.example.com/v1', ['http:', 'https:']).transform((text) => text.replace(/\/+$/, ''))
const apiKey = z.string().regex(/^[\x21-\x7e]+$/, { error: 'holds blanks, line ends or letters that no key has: copy it again' })

const NOTHING_ALLOWED: WebAllowList = { hosts: new Set(), ranges: [] }

const environment = z.object({
  HOST: z.string().regex(/^[A-Za-z0-9.:_-]+$/, { error: 'is not a host name or an IP address, for example 127.0.0.1' }).default('127.0.0.1'),
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, { error: 'is not a number: choose 0 (any free port) to 65535' })
    .transform(Number)
    .refine((port) => port <= 65_535, { error: 'is too large: choose 0 (any free port) to 65535' })
    .default(3_000),
  BUILDSCALE_ALLOWED_HOSTS: z
    .string()
    .regex(/^[A-Za-z0-9.:_[\],\s-]*$/, { error: 'is not a list of host names separated by commas, for example build.example.com' })
    .transform((text) => text.split(',').map((name) => name.trim()).filter((name) => name !== ''))
    .default([]),
  BUILDSCALE_WEB_ALLOW: z
    .string()
    .transform((text) => parseAllowList(text.split(',').map((entry) => entry.trim()).filter((entry) => entry !== '')))
    .refine((list) => list !== undefined, { error: 'is not a list of host names, addresses and ranges separated by commas, for example wiki.example.com,10.1.0.0/16' })
    .optional(),
  BUILDSCALE_SEARXNG_URL: httpUrl.optional(),
  BRAVE_API_KEY: apiKey.optional(),
  TAVILY_API_KEY: apiKey.optional(),
  BUILDSCALE_DATA_DIR: z.string().optional(),
  DATABASE_URL: url('a PostgreSQL URL, for example postgresql://user:password@localhost/buildscale', ['postgres:', 'postgresql:']).optional(),
  BUILDSCALE_MODEL: z.string().regex(/^\S+$/, { error: 'holds blanks: write provider:model, for example openai:gpt-4o' }).optional(),
  BUILDSCALE_EMBEDDING_MODEL: z.string().regex(/^[^\s:]+:\S+$/, { error: 'is not provider:model: write for example openai:text-embedding-3-small' }).optional(),
  BUILDSCALE_LOG_LEVEL: z.enum(LOG_LEVELS, { error: `is not a log level: choose one of ${LOG_LEVELS.join(', ')}` }).default('info'),
  BUILDSCALE_WORKSPACE_QUOTA: z
    .string()
    .regex(/^\d{1,15}$/, { error: 'is not a number of bytes, for example 10000000000' })
    .transform(Number)
    .optional(),
  OPENAI_API_KEY: apiKey.optional(),
  OPENAI_BASE_URL: httpUrl.optional(),
  ANTHROPIC_API_KEY: apiKey.optional(),
  ANTHROPIC_BASE_URL: httpUrl.optional(),
  OPENROUTER_API_KEY: apiKey.optional(),
  OPENROUTER_BASE_URL: httpUrl.optional(),
  OLLAMA_BASE_URL: httpUrl.optional(),
  XDG_DATA_HOME: z.string().optional(),
})
type Environment = z.output<typeof environment>

/** Reads the environment. Throws a ConfigError that names every bad variable, what is wrong with it and what to write instead. */
export function readConfig(variables: Readonly<Record<string, string | undefined>>, place: ConfigPlace = thisProcess()): Config {
  const parsed = environment.safeParse(withoutEmpty(variables))
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('\n'))
  const { data } = parsed
  return Object.freeze({
    host: data.HOST,
    port: data.PORT,
    allowedHosts: data.BUILDSCALE_ALLOWED_HOSTS,
    dataDir: dataDir(data, place),
    databaseUrl: data.DATABASE_URL,
    model: data.BUILDSCALE_MODEL,
    embeddingModel: data.BUILDSCALE_EMBEDDING_MODEL,
    providers: Object.freeze({
      openai: provider(data.OPENAI_API_KEY, data.OPENAI_BASE_URL),
      anthropic: provider(data.ANTHROPIC_API_KEY, data.ANTHROPIC_BASE_URL),
      openrouter: provider(data.OPENROUTER_API_KEY, data.OPENROUTER_BASE_URL),
      ollama: provider(undefined, data.OLLAMA_BASE_URL),
    }),
    web: Object.freeze({
      allowed: data.BUILDSCALE_WEB_ALLOW ?? NOTHING_ALLOWED,
      searxngUrl: data.BUILDSCALE_SEARXNG_URL,
      braveApiKey: data.BRAVE_API_KEY,
      tavilyApiKey: data.TAVILY_API_KEY,
    }),
    workspaceQuotaBytes: data.BUILDSCALE_WORKSPACE_QUOTA ?? null,
    limits: DEFAULT_LIMITS,
    logLevel: data.BUILDSCALE_LOG_LEVEL,
  })
}

/** `PORT= npm start` means: as if it were not set. */
function withoutEmpty(variables: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''))
}

/** What was asked for; else /var/lib for root, whose home the database's user could not enter; else where the XDG base directories say. */
function dataDir({ BUILDSCALE_DATA_DIR: asked, XDG_DATA_HOME: xdg }: Environment, { isRoot, home, cwd }: ConfigPlace): string {
  if (asked !== undefined) return resolve(cwd, asked)
  if (isRoot) return '/var/lib/buildscale'
  // The XDG specification has relative paths ignored.
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, '.local', 'share'), 'buildscale')
}

function provider(key: string | undefined, baseUrl: string | undefined): ProviderConfig | undefined {
  return key === undefined && baseUrl === undefined ? undefined : Object.freeze({ apiKey: key, baseUrl })
}

function thisProcess(): ConfigPlace {
  return { isRoot: process.getuid?.() === 0, home: homedir(), cwd: process.cwd() }
}
