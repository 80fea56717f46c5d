import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MirrorFixture } from '../../../test/support/mirror-fixture.ts'
import { fileBlame } from './file-blame.ts'
import { moveFile, restoreVersion, writeFile } from './file-tree.ts'

let fixture: MirrorFixture
beforeAll(async () => void (fixture = await MirrorFixture.create()))
afterAll(() => fixture[Symbol.asyncDispose]())

const blame = (workspaceId: string, path: string, options = {}) => fileBlame(fixture.database.db.kysely, { workspaceId, path, ...options })
const write = (workspaceId: string, content: string | Buffer, path = '/f') => fixture.write(workspaceId, { [path]: content })

/** The version of each line. */
async function versions(workspaceId: string, path = '/f'): Promise<number[]> {
  return (await blame(workspaceId, path)).ranges.flatMap(({ version, count }) => Array.from({ length: count }, () => version))
}

/** Numbers from 0 to 1 that are the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
}

describe('the blame of a file', () => {
  it('joins neighbouring lines of one version, with their author and time', async () => {
    const workspaceId = await fixture.newWorkspace()
    await write(workspaceId, 'one\ntwo\nthree\n')
    await write(workspaceId, 'zero\none\ntwo\nTHREE\nfour\n')
    const found = await blame(workspaceId, '/f')
    expect(found).toMatchObject({ path: '/f', version: 2, lines: 5 })
    expect(found.ranges.map(({ line, count, version }) => [line, count, version])).toEqual([[1, 1, 2], [2, 2, 1], [4, 2, 2]])
    expect(found.ranges[0]).toMatchObject({ author: { kind: 'user', id: fixture.userId }, turn_id: null, tool_call_id: null, message_id: null })
    expect((await blame(workspaceId, '/f', { version: 1 })).ranges.map(({ line, count, version }) => [line, count, version])).toEqual([[1, 3, 1]])
  })

  it('names turn and tool call of what an agent wrote', async () => {
    const workspaceId = await fixture.newWorkspace()
    const author = { kind: 'agent', id: fixture.userId, turnId: uuidv7(), toolCallId: uuidv7() } as const
    await write(workspaceId, 'by hand\n')
    await fixture.files.change({ workspaceId, author }, (set) => writeFile(set, { path: '/f', content: Buffer.from('by hand\nby a model\n') }))
    expect((await blame(workspaceId, '/f')).ranges[1]).toMatchObject({ line: 2, author: { kind: 'agent' }, turn_id: author.turnId, tool_call_id: author.toolCallId, message_id: null })
  })

  it('follows a file through moves, and a line that went and came back came in when it came back', async () => {
    const workspaceId = await fixture.newWorkspace()
    await write(workspaceId, 'a\nb\n')
    await fixture.change(workspaceId, (set) => moveFile(set, { from: '/f', to: '/g' }))
    await write(workspaceId, 'a\n', '/g')
    await fixture.change(workspaceId, (set) => restoreVersion(set, { path: '/g', version: 1 }))
    expect(await versions(workspaceId, '/g')).toEqual([1, 3])
  })

  it('takes no notice of a line break that the last line gets', async () => {
    const workspaceId = await fixture.newWorkspace()
    await write(workspaceId, 'a\nb')
    await write(workspaceId, 'a\nb\nc\n')
    expect(await versions(workspaceId)).toEqual([1, 1, 2])
  })

  it('starts anew where a version between was not text, and refuses what is not text itself', async () => {
    const workspaceId = await fixture.newWorkspace()
    await write(workspaceId, 'a\n')
    await write(workspaceId, Buffer.from([0, 255]))
    await expect(blame(workspaceId, '/f')).rejects.toMatchObject({ code: 'unsupported_media_type' })
    await write(workspaceId, 'a\n')
    expect(await versions(workspaceId)).toEqual([3])
  })

  it('refuses folders, what is not there, what is too large and what takes too long', async () => {
    const workspaceId = await fixture.newWorkspace()
    await write(workspaceId, 'a\n', '/folder/f')
    await write(workspaceId, 'b\n', '/folder/f')
    const limited = (limits: { bytes: number; timeMs: number }) => fileBlame(fixture.database.db.kysely, { workspaceId, path: '/folder/f' }, limits)
    await expect(blame(workspaceId, '/folder')).rejects.toMatchObject({ code: 'conflict' })
    await expect(blame(workspaceId, '/')).rejects.toMatchObject({ code: 'conflict' })
    await expect(blame(workspaceId, '/none')).rejects.toMatchObject({ code: 'not_found' })
    await expect(blame(workspaceId, '/folder/f', { version: 9 })).rejects.toMatchObject({ code: 'not_found' })
    await expect(limited({ bytes: 1, timeMs: 1_000 })).rejects.toMatchObject({ code: 'payload_too_large', message: expect.stringContaining('2 bytes') as string })
    await expect(limited({ bytes: 1_000, timeMs: 0 })).rejects.toMatchObject({ code: 'payload_too_large', message: expect.stringContaining('takes longer') as string })
  })

  it('of an empty file is empty', async () => {
    const workspaceId = await fixture.newWorkspace()
    await write(workspaceId, '')
    expect(await blame(workspaceId, '/f')).toMatchObject({ lines: 0, ranges: [] })
  })

  it.for([1, 2, 3, 4])('agrees with who really put each line there, for random edits (seed %i)', async (seed) => {
    const random = randomNumbers(seed)
    const workspaceId = await fixture.newWorkspace()
    let next = 0
    /** Each line is written once in the life of the file, so who put it there is beyond doubt. */
    let lines: { readonly text: string; readonly version: number }[] = []
    for (let version = 1; version <= 40; version += 1) {
      for (let edit = 0; edit <= Math.floor(random() * 4); edit += 1) {
        const added = Array.from({ length: Math.floor(random() * 6) }, () => ({ text: `line ${next++}`, version }))
        lines = lines.toSpliced(Math.floor(random() * (lines.length + 1)), Math.floor(random() * 4), ...added)
      }
      lines = [...lines, { text: `line ${next++}`, version }]
      await write(workspaceId, lines.map(({ text }) => `${text}\n`).join(''))
    }
    expect(await versions(workspaceId)).toEqual(lines.map(({ version }) => version))
  })
})
