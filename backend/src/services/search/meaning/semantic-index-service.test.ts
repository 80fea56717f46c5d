import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { SemanticFixture } from '../../../../test/support/semantic-fixture.ts'
import { purgeRows } from '../../../repositories/trash-repository.ts'
import { deleteWorkspaceRows } from '../../../repositories/workspace-repository.ts'
import { copyFile } from '../../files/copy-file.ts'
import { removeFile } from '../../files/file-tree.ts'
import { moveFile } from '../../files/move-file.ts'
import type { Embedder } from '../embedder.ts'

const signal = new AbortController().signal
const BREAD = 'Knead the dough, let it rise for an hour, then bake the loaf in a hot oven.'
const CHEESE = 'Warm the milk, add rennet, cut the curd and press it for a day.'
const BRAKES = 'Change the engine oil and look at the brakes before winter.'

describe('search by meaning', () => {
  it('finds the passage of a file, with its lines and the headings above it', async () => {
    await using semantic = await SemanticFixture.create()
    const node = semantic.startNode()
    const workspaceId = await semantic.files.newWorkspace()
    const text = `# Kitchen\n\n## Bread\n\n${`${BREAD} `.repeat(20)}\n\n## Cheese\n\n${`${CHEESE} `.repeat(20)}\n`
    await semantic.write(node, workspaceId, { '/recipes.md': text, '/cars.md': `# Cars\n\n${BRAKES}\n` })
    await semantic.settled(node, workspaceId)
    const [first] = await semantic.search(node, workspaceId, { query: 'baking a loaf in the oven' })
    expect(first).toMatchObject({ path: '/recipes.md', startLine: 1, endLine: 6, heading: 'Kitchen > Bread', excerpt: expect.stringContaining('Knead the dough') })
    expect(first?.score).toBeGreaterThan(0.2)
    expect(first?.excerpt.length).toBeLessThan(410)
  })

  it('looks only in the folder that is asked for, also when nearer passages are elsewhere', async () => {
    await using semantic = await SemanticFixture.create()
    const node = semantic.startNode()
    const workspaceId = await semantic.files.newWorkspace()
    const others = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`/other/${index}.md`, `Bake the loaf in a hot oven, way number ${index}.\n`]))
    await semantic.write(node, workspaceId, { ...others, '/a_b/bread.md': `${BREAD}\n`, '/axb/bread.md': `${BREAD} Twice.\n`, '/a_b.md': 'Bake it.\n' })
    await semantic.settled(node, workspaceId)
    const inFolder = async (folder: string): Promise<readonly string[]> => (await semantic.search(node, workspaceId, { query: 'bake the loaf in a hot oven', folder })).map(({ path }) => path)
    expect(await inFolder('/a_b')).toEqual(['/a_b/bread.md'])
    expect(await inFolder('/a_b/bread.md')).toEqual(['/a_b/bread.md'])
    expect(await inFolder('/none')).toEqual([])
    expect((await inFolder('/'))[0]).toMatch(/^\/other/)
  })

  it('never answers what is in the trash, and answers it again after its return', async () => {
    await using semantic = await SemanticFixture.create()
    const node = semantic.startNode()
    const workspaceId = await semantic.files.newWorkspace()
    await semantic.write(node, workspaceId, { '/bread.md': BREAD, '/cheese.md': CHEESE })
    await semantic.settled(node, workspaceId)
    const id = await semantic.fileId(workspaceId, '/bread.md')
    const find = async (): Promise<readonly string[]> => (await semantic.search(node, workspaceId, { query: 'bake a loaf in the oven' })).map(({ path }) => path)
    expect(await find()).toContain('/bread.md')
    await semantic.files.change(workspaceId, (set) => removeFile(set, { path: '/bread.md', recursive: false }))
    expect(await find()).not.toContain('/bread.md')
    await node.index.remove(workspaceId, [id])
    expect(await find()).not.toContain('/bread.md')
    expect((await node.index.status(workspaceId)).chunks).toBe(1)
    const before = semantic.sent.length
    await semantic.db.kysely.updateTable('files').set({ deleted_at: null }).where('workspace_id', '=', workspaceId).where('id', '=', id).execute()
    await node.index.update(await semantic.texts(workspaceId), signal)
    expect(await find()).toContain('/bread.md')
    expect(semantic.sent).toHaveLength(before)
  })

  it('never answers what belongs to another workspace, also when both hold the same text', async () => {
    await using semantic = await SemanticFixture.create()
    const node = semantic.startNode()
    const [ours, theirs] = [await semantic.files.newWorkspace(), await semantic.files.newWorkspace()]
    await semantic.write(node, ours, { '/ours.md': BREAD })
    await semantic.write(node, theirs, { '/theirs.md': BREAD, '/secret.md': `${BREAD} The key is under the mat.` })
    await Promise.all([semantic.settled(node, ours), semantic.settled(node, theirs)])
    expect((await semantic.search(node, ours, { query: 'bake bread in the oven, the key under the mat', limit: 50 })).map(({ path }) => path)).toEqual(['/ours.md'])
    expect(await node.index.status(ours)).toMatchObject({ chunks: 1 })
    await node.index.remove(ours, [await semantic.fileId(theirs, '/secret.md')])
    expect(await node.index.status(theirs)).toMatchObject({ chunks: 2, embedded: 2 })
  })

  it('forgets a file that is no text any more', async () => {
    await using semantic = await SemanticFixture.create()
    const node = semantic.startNode()
    const workspaceId = await semantic.files.newWorkspace()
    await semantic.write(node, workspaceId, { '/bread.md': BREAD })
    await semantic.settled(node, workspaceId)
    await node.index.remove(workspaceId, [await semantic.fileId(workspaceId, '/bread.md')])
    expect(await node.index.status(workspaceId)).toMatchObject({ chunks: 0, pending: 0 })
    expect(await semantic.search(node, workspaceId, { query: 'bake a loaf' })).toEqual([])
  })

  it('leaves a text alone that was overtaken by a newer one, and files that are gone', async () => {
    await using semantic = await SemanticFixture.create()
    const node = semantic.startNode()
    const workspaceId = await semantic.files.newWorkspace()
    await semantic.write(node, workspaceId, { '/a.md': CHEESE })
    const old = await semantic.texts(workspaceId)
    await semantic.write(node, workspaceId, { '/a.md': BREAD })
    await node.index.update(old, signal)
    await node.index.update([{ workspaceId, fileId: crypto.randomUUID(), path: '/gone.md', hash: Buffer.alloc(32), mime: 'text/markdown', text: BRAKES }], signal)
    await semantic.settled(node, workspaceId)
    expect(await semantic.search(node, workspaceId, { query: 'milk, rennet and curd' })).toEqual([])
    expect(await semantic.search(node, workspaceId, { query: 'bake a loaf in the oven' })).toMatchObject([{ path: '/a.md' }])
  })

  it('takes any text: empty, of signs alone, with NUL and halves of pairs, very long', async () => {
    await using semantic = await SemanticFixture.create()
    const node = semantic.startNode()
    const workspaceId = await semantic.files.newWorkspace()
    await semantic.files.write(workspaceId, { '/1': 'x', '/2': 'y', '/3': 'z', '/4': 'w' })
    const odd = ['', '-----\n***\n', 'loaf\0oven \uD800 dough', 'kneading '.repeat(100_000)]
    await node.index.update((await semantic.texts(workspaceId)).toSorted((a, b) => (a.path < b.path ? -1 : 1)).map((file, index) => ({ ...file, text: odd[index] ?? '' })), signal)
    await semantic.settled(node, workspaceId)
    expect((await semantic.search(node, workspaceId, { query: 'loaf dough' }))[0]).toMatchObject({ path: '/3', startLine: 1 })
    expect((await semantic.search(node, workspaceId, { query: 'kneading' }))[0]).toMatchObject({ path: '/4' })
  })

  it('says how far it is, with which embedder', async () => {
    await using semantic = await SemanticFixture.create()
    const node = semantic.startNode()
    const workspaceId = await semantic.files.newWorkspace()
    expect(await node.index.status(workspaceId)).toEqual({ chunks: 0, embedded: 0, pending: 0, refused: 0, embedder: 'offline:words', isOffline: true, lastError: null })
    expect(await semantic.search(node, workspaceId, { query: 'anything' })).toEqual([])
    await semantic.write(node, workspaceId, { '/a.md': BREAD, '/b.md': CHEESE, '/copy.md': BREAD })
    await semantic.settled(node, workspaceId)
    expect(await node.index.status(workspaceId)).toMatchObject({ chunks: 2, embedded: 2, pending: 0 })
  })
})

it('leaves nothing of a workspace that is removed, and nothing of a file that is purged', async () => {
  await using semantic = await SemanticFixture.create()
  const node = semantic.startNode()
  const workspaceId = await semantic.files.newWorkspace()
  await semantic.write(node, workspaceId, { '/bread.md': BREAD, '/cheese.md': CHEESE })
  await semantic.settled(node, workspaceId)
  const count = async (): Promise<readonly number[]> => {
    const { rows } = await sql<{ n: number }>`SELECT count(*) AS n FROM semantic_files UNION ALL SELECT count(*) FROM semantic_passages UNION ALL SELECT count(*) FROM semantic_chunks UNION ALL SELECT count(*) FROM semantic_vectors`.execute(semantic.db.kysely)
    return rows.map(({ n }) => n)
  }
  await semantic.files.change(workspaceId, (set) => removeFile(set, { path: '/bread.md', recursive: false }))
  const id = (await semantic.db.kysely.selectFrom('files').select('id').where('path', '=', '/bread.md').executeTakeFirstOrThrow()).id
  await semantic.db.transaction((tx) => purgeRows(tx, workspaceId, [id]))
  await node.index.remove(workspaceId, [id])
  expect(await count()).toEqual([1, 1, 1, 1])
  await semantic.db.kysely.updateTable('workspaces').set({ deleted_at: new Date() }).where('id', '=', workspaceId).execute()
  await semantic.db.transaction((tx) => deleteWorkspaceRows(tx, workspaceId))
  expect(await count()).toEqual([0, 0, 0, 0])
})

describe('only what changed is embedded again', () => {
  it('the same text in many files, moved, copied or written again, is embedded once', async () => {
    await using semantic = await SemanticFixture.create()
    const node = semantic.startNode()
    const workspaceId = await semantic.files.newWorkspace()
    await semantic.write(node, workspaceId, { '/a.md': BREAD, '/b.md': BREAD, '/c.md': CHEESE })
    await semantic.settled(node, workspaceId)
    expect(semantic.sent.toSorted()).toEqual([BREAD, CHEESE].toSorted())
    await semantic.files.change(workspaceId, async (set) => {
      await moveFile(set, { from: '/a.md', to: '/moved/a.md' })
      await copyFile(set, { from: '/c.md', to: '/copy.md' })
    })
    await node.index.update(await semantic.texts(workspaceId), signal)
    await semantic.write(node, workspaceId, { '/b.md': BRAKES })
    await semantic.write(node, workspaceId, { '/b.md': BREAD })
    await semantic.settled(node, workspaceId)
    expect(semantic.sent.filter((text) => text !== BRAKES)).toHaveLength(2)
    expect((await semantic.search(node, workspaceId, { query: 'bake the loaf', folder: '/moved' })).map(({ path }) => path)).toEqual(['/moved/a.md'])
  })

  it('5,000 files: a change in one sends one text', async () => {
    await using semantic = await SemanticFixture.create()
    const node = semantic.startNode()
    const workspaceId = await semantic.files.newWorkspace()
    const files = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`/notes/${index % 50}/${index}.md`, `# Note ${index}\n\nThe answer to question ${index} is ${index * 7}.\n`]))
    await semantic.files.write(workspaceId, files)
    const texts = await semantic.texts(workspaceId)
    await node.index.update(texts, signal)
    await semantic.settled(node, workspaceId)
    expect(semantic.sent).toHaveLength(5_000)
    await node.index.update(texts, signal)
    await semantic.write(node, workspaceId, { '/notes/7/7.md': '# Note 7\n\nThe answer to question 7 is unknown.\n' })
    await semantic.settled(node, workspaceId)
    expect(semantic.sent.slice(5_000)).toEqual([expect.stringContaining('question 7 is unknown')])
    expect((await semantic.search(node, workspaceId, { query: 'question 7 unknown' }))[0]).toMatchObject({ path: '/notes/7/7.md' })
  }, 300_000)

  it('a new embedder embeds everything once, and its vectors are never compared with those of the old one', async () => {
    await using semantic = await SemanticFixture.create()
    const old = semantic.startNode({ embedder: semantic.embedder('test:old') })
    const workspaceId = await semantic.files.newWorkspace()
    await semantic.write(old, workspaceId, { '/a.md': BREAD, '/b.md': CHEESE })
    await semantic.settled(old, workspaceId)
    await old.worker.close()
    const words = semantic.embedder()
    const turned: Embedder = { id: 'test:new', isOffline: false, noise: 0.1, embed: async (texts) => (await words.embed(texts, signal)).map((vector) => vector.map((_, at) => vector[vector.length - 1 - at] ?? 0).subarray(0, 300)) }
    const node = semantic.startNode({ embedder: turned })
    await semantic.settled(node, workspaceId)
    expect(semantic.sent).toHaveLength(4)
    expect((await semantic.search(node, workspaceId, { query: 'bake a loaf' }))[0]).toMatchObject({ path: '/a.md' })
    expect(await node.index.status(workspaceId)).toMatchObject({ embedded: 2, embedder: 'test:new' })
  })
})
