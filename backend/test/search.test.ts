import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FilesResource } from '@buildscale/sdk'
import { type RunningApp, startApp } from './support/running-app.ts'
import { indexed } from './support/indexed.ts'

let app: RunningApp
let files: FilesResource
beforeAll(async () => {
  app = await startApp()
  files = app.client.files(app.workspaceId)
})
afterAll(() => app[Symbol.asyncDispose]())

describe('searching a workspace', () => {
  it('finds by words what was written a moment ago, best first, with the line and what matches in it', async () => {
    await files.put('/src/people.ts', 'import x\n\nexport function getUserName(id: string) {\n  return names.get(id)\n}\n')
    await files.put('/docs/names.md', '# Names\n\nA user has a name.\n\n## User name\n\nShown everywhere.\n')
    await indexed(app)
    const { items, truncated, notice, index } = await files.search('user name', { modes: ['text'] })
    expect(items.map(({ path, line, excerpt, sources }) => ({ path, line, excerpt, sources }))).toEqual([
      { path: '/docs/names.md', line: 3, excerpt: 'A user has a name.', sources: ['text'] },
      { path: '/src/people.ts', line: 3, excerpt: 'export function getUserName(id: string) {', sources: ['text'] },
    ])
    expect({ truncated, notice, behind: index.behind }).toEqual({ truncated: false, notice: null, behind: false })
  })
})
