import { EPHEMERAL_EVENTS, STORED_EVENTS, WORKSPACE_EPHEMERAL_EVENTS, WORKSPACE_EVENTS } from '@buildscale/protocol'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ZONES } from '../scripts/import-table.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const names = (text: string): string[] => [...text.matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1] ?? '')

describe('the documentation', () => {
  it('lists every event of a chat, and no other', () => {
    const [, stored = '', ephemeral = ''] = read('docs/sse-events.md').split(/^## /m)
    expect(names(stored)).toEqual(Object.keys(STORED_EVENTS))
    expect(names(ephemeral)).toEqual(Object.keys(EPHEMERAL_EVENTS))
  })

  it('lists every event of a workspace with its fields, and no other', () => {
    const [, , , section = ''] = read('docs/sse-events.md').split(/^## /m)
    const schemas = { ...WORKSPACE_EVENTS, ...WORKSPACE_EPHEMERAL_EVENTS }
    expect(names(section)).toEqual(Object.keys(schemas))
    for (const [type, schema] of Object.entries(schemas)) {
      const row = section.split('\n').find((line) => line.startsWith(`| \`${type}\` |`)) ?? ''
      for (const field of Object.keys(schema.shape)) expect(row, type).toContain(field)
    }
  })

  it('names the fields of every event', () => {
    const text = read('docs/sse-events.md')
    const ofTurn = ['turn_id', 'step', 'attempt']
    for (const [type, schema] of [...Object.entries(STORED_EVENTS), ...Object.entries(EPHEMERAL_EVENTS)]) {
      const row = text.split('\n').find((line) => line.startsWith(`| \`${type}\` |`)) ?? ''
      for (const field of Object.keys(schema.shape).filter((name) => !ofTurn.includes(name) || type === 'session_init')) expect(row, type).toContain(field)
    }
  })

  it('shows the import table that the check uses', () => {
    const rows = ZONES.map(({ name, mayImport }) => `| \`${name}\` | ${cell(mayImport)} |`)
    expect(read('docs/architecture.md').split('\n').filter((line) => rows.includes(line))).toEqual(rows)
  })

  it('links only to what exists', () => {
    const pages = globSync(['*.md', 'docs/**/*.md', 'packages/*/*.md'], { cwd: ROOT })
    expect(pages.length).toBeGreaterThan(5)
    for (const page of pages) {
      for (const [, target = ''] of read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
        expect(existsSync(join(ROOT, dirname(page), target)), `${page} links to ${target}`).toBe(true)
      }
    }
  })

  it('names only files that exist', () => {
    for (const page of globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT })) {
      for (const [, path = ''] of read(page).matchAll(/`((?:backend|packages|cli|web|scripts|bench|docs)\/[\w./-]+\.(?:ts|tsx|mjs|md|json))`/g)) {
        expect(existsSync(join(ROOT, path)), `${page} names ${path}`).toBe(true)
      }
    }
  })
})

function cell(mayImport: (typeof ZONES)[number]['mayImport']): string {
  if (mayImport === 'everything') return 'everything'
  return mayImport.length === 0 ? 'nothing of ours' : mayImport.map((name) => `\`${name}\``).join(', ')
}
