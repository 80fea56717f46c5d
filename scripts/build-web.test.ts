import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { webState } from './build-web.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'buildscale-web-'))
  for (const path of ['web/vite.config.ts', 'web/index.html', 'web/src/main.tsx', 'packages/sdk/src/client.ts']) put(path, 100)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** Writes a file and sets its time, and those of its folders, to `seconds`. */
function put(path: string, seconds: number): void {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '')
  for (let each = file; each !== root; each = dirname(each)) utimesSync(each, seconds, seconds)
}

it('is stale before the first build, current after it', () => {
  expect(webState(root)).toBe('stale')
  put('web/dist/index.html', 200)
  expect(webState(root)).toBe('current')
})

it.each(['web/src/main.tsx', 'web/src/new/deep.tsx', 'web/index.html', 'web/vite.config.ts', 'packages/sdk/src/client.ts', 'package-lock.json'])('is stale after a change of %s', (path) => {
  put('web/dist/index.html', 200)
  put(path, 300)
  expect(webState(root)).toBe('stale')
})

it('is stale after a source was removed', () => {
  put('web/src/gone.tsx', 100)
  put('web/dist/index.html', 200)
  rmSync(join(root, 'web/src/gone.tsx'))
  expect(webState(root)).toBe('stale')
})

it('has nothing to build where there is no page', () => {
  rmSync(join(root, 'web/vite.config.ts'))
  expect(webState(root)).toBe('absent')
})
