import { describe, expect, it } from 'vitest'
import { SemanticFixture } from '../../../test/support/semantic-fixture.ts'


describe('search by meaning', () => {
  it('finds the passage of a file, with its lines and the headings above it', async () => {
    await using semantic = await SemanticFixture.create()
    const node = semantic.startNode()
    const workspaceId = await semantic.files.newWorkspace()
    const text = `# Kitchen\n\n## Bread\n\n${'Knead the dough, let it rise, bake the loaf in a hot oven. '.repeat(20)}\n\n## Cheese\n\n${'Warm the milk, add rennet, cut the curd and press it. '.repeat(20)}\n`
    await semantic.write(node, workspaceId, { '/recipes.md': text, '/cars.md': '# Cars\n\nChange the engine oil and look at the brakes.\n' })
    await semantic.settled(node, workspaceId)
    const [first] = await semantic.search(node, workspaceId, { query: 'baking a loaf in the oven' })
    expect(first).toMatchObject({ path: '/recipes.md', startLine: 1, endLine: 6, heading: 'Kitchen > Bread', excerpt: expect.stringContaining('Knead the dough') })
    expect(first?.score).toBeGreaterThan(0.2)
  })
})
