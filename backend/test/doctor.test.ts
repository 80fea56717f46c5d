import { existsSync, globSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningApp, startApp } from './support/running-app.ts'

let app: RunningApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app[Symbol.asyncDispose]())

const onDisk = (path: string): string => join(app.dataDir, 'workspaces', app.workspaceId, path)

it('names what another program did to the copy on disk, and puts it right without losing what that program wrote', async () => {
  const files = app.client.files(app.workspaceId)
  for (const name of ['gone', 'changed', 'linked']) await files.put(`/docs/${name}.md`, `the real ${name}`)
  expect(await app.client.doctor({ deep: true })).toMatchObject({ ok: true })

  rmSync(onDisk('docs/gone.md'))
  writeFileSync(onDisk('docs/changed.md'), 'written by another program')
  writeFileSync(onDisk('docs/extra.md'), 'put there by another program')
  rmSync(onDisk('docs/linked.md'))
  symlinkSync('/etc/hostname', onDisk('docs/linked.md'))

  const found = await app.client.doctor({})
  expect(found.ok).toBe(false)
  const differences = found.workspaces.find((workspace) => workspace.id === app.workspaceId)?.differences ?? []
  expect(Object.fromEntries(differences.map(({ path, kind }) => [path, kind]))).toEqual({
    '/docs/gone.md': 'missing',
    '/docs/changed.md': 'content',
    '/docs/extra.md': 'extra',
    '/docs/linked.md': 'type',
  })

  expect(await app.client.doctor({ repair: true })).toMatchObject({ ok: true })
  for (const name of ['gone', 'changed', 'linked']) expect(readFileSync(onDisk(`docs/${name}.md`), 'utf8')).toBe(`the real ${name}`)
  expect(existsSync(onDisk('docs/extra.md'))).toBe(false)
  const kept = globSync('lost+found/**/*', { cwd: app.dataDir, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
  expect(kept.sort()).toEqual(['put there by another program', 'written by another program'])
})

it('is for the local owner only', async () => {
  const { client } = await app.addPerson('grace')
  await expect(client.doctor({})).rejects.toMatchObject({ code: 'forbidden' })
})
