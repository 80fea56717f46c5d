import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningApp, startApp } from './support/running-app.ts'

let app: RunningApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app[Symbol.asyncDispose]())

const onDisk = (path: string): string => join(app.dataDir, 'workspaces', app.workspaceId, path)

it('names what another program did to the copy on disk, makes versions of it, and puts right what cannot be one', async () => {
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
  expect(differences.find(({ kind }) => kind === 'type')?.reason).toBe('It is a symbolic link, which is never followed.')

  expect(await app.client.doctor({ repair: true })).toMatchObject({ ok: true })
  expect(readFileSync(onDisk('docs/linked.md'), 'utf8')).toBe('the real linked')
  expect((await files.list('/docs')).items.map(({ path }) => path)).toEqual(['/docs/changed.md', '/docs/extra.md', '/docs/linked.md'])
  const { items } = await files.versions('/docs/changed.md')
  expect(items.map(({ author, size }) => [author.kind, size])).toEqual([['disk', 26], ['user', 16]])
  expect(await (await files.content('/docs/extra.md')).text()).toBe('put there by another program')
})

it('is for the local owner only', async () => {
  const { client } = await app.addPerson('grace')
  await expect(client.doctor({})).rejects.toMatchObject({ code: 'forbidden' })
})
