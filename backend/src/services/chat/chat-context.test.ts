import { describe, expect, it } from 'vitest'
import { ContextKey, ContextMap } from './chat-context.ts'

const entry = (content: string, priority: number, isEssential = false) => ({ content, priority, isEssential, tokens: 10 })

describe('ContextMap', () => {
  const map = new ContextMap()
    .with(ContextKey.SystemPersona, entry('persona', 0, true))
    .with(ContextKey.WorkspaceFile('a'), entry('file a', 40))
    .with(ContextKey.WorkspaceFile('b'), entry('file b', 40))
    .with(ContextKey.Environment, entry('environment', 10))
    .with(ContextKey.UserRequest, entry('request', 0, true))

  it('keeps everything, in the order it was added, while it fits', () => {
    const { map: kept, dropped, excess } = map.optimizeForLimit(50)
    expect(kept.render()).toBe('persona\n\nfile a\n\nfile b\n\nenvironment\n\nrequest')
    expect({ dropped, excess }).toEqual({ dropped: [], excess: 0 })
  })

  it('drops the highest priority number first, of equals the later one, and no more than needed', () => {
    expect(map.optimizeForLimit(40).dropped).toEqual([ContextKey.WorkspaceFile('b')])
    expect(map.optimizeForLimit(25).dropped).toEqual([ContextKey.WorkspaceFile('b'), ContextKey.WorkspaceFile('a'), ContextKey.Environment])
  })

  it('never drops what is essential, and says by how much that is too large', () => {
    const { map: kept, excess } = map.optimizeForLimit(5)
    expect(kept.render()).toBe('persona\n\nrequest')
    expect(excess).toBe(15)
  })

  it('replaces an entry in its place and leaves the map it came from alone', () => {
    const changed = map.with(ContextKey.Environment, entry('later', 10))
    expect(changed.render()).toBe('persona\n\nfile a\n\nfile b\n\nlater\n\nrequest')
    expect(map.get(ContextKey.Environment)?.content).toBe('environment')
  })

  it('estimates tokens from the length when nobody counted them', () => {
    expect(new ContextMap().with(ContextKey.Environment, { content: 'x'.repeat(41), priority: 1, isEssential: false }).tokens).toBe(11)
  })
})
