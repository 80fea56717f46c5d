import type { ImportProgress } from '@buildscale/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeTar } from './support/archives.ts'
import { type RunningApp, startApp } from './support/running-app.ts'

let app: RunningApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app[Symbol.asyncDispose]())

const files = () => app.client.files(app.workspaceId)

describe('an import over the network', () => {
  it('tells how far it is while the archive is still being sent', async () => {
    const archive = await makeTar(Array.from({ length: 1_200 }, (_, index) => ({ name: `many/${index}.txt`, content: `file ${index}` })))
    const told: ImportProgress[] = []
    const first = Promise.withResolvers<undefined>()
    const body = ReadableStream.from(
      (async function* () {
        yield archive.subarray(0, 700 * 1_024)
        await first.promise // the second half is only sent when the first has been told of
        yield archive.subarray(700 * 1_024)
      })(),
    )
    const result = await files().import(body, {
      onProgress: (progress) => {
        told.push(progress)
        first.resolve(undefined)
      },
    })
    expect(told[0]).toEqual({ imported: 500, unchanged: 0, bytes: expect.any(Number), skipped_count: 0 })
    expect(result).toMatchObject({ imported: 1_200, skipped: [] })
  })
})
