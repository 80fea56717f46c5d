import { ENDPOINTS, ERROR_STATUS } from '@buildscale/protocol'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const text = readFileSync(new URL('rest-api.md', import.meta.url), 'utf8')
const rows = (start: RegExp): string[] => text.split('\n').filter((line) => start.test(line))
const WHO = { none: 'everybody', user: 'signed in', workspace: 'member' } as const

describe('docs/rest-api.md', () => {
  it('lists every endpoint of the server with who may call it and what it answers, and no other', () => {
    const expected = ENDPOINTS.map(({ method, path, access, status, summary }) => `| \`${method} ${path}\` | ${WHO[access]} | ${status} | ${summary} |`)
    expect(rows(/^\| `(GET|POST|PUT|PATCH|DELETE) /)).toEqual(expected)
  })

  it('lists every error code with its status, and no other', () => {
    const listed = rows(/^\| `[a-z_]+` \| \d/).map((line) => /^\| `([a-z_]+)` \| (\d+) \|/.exec(line)?.slice(1))
    expect(listed).toEqual(Object.entries(ERROR_STATUS).map(([code, status]) => [code, String(status)]))
  })
})
