import { describe, expect, it } from 'vitest'
import { toolNames } from './tool-names.ts'

const names = (list: readonly string[], prefix = '') => Object.fromEntries(toolNames(list, prefix))

describe('names of tools', () => {
  it('keeps a name that providers accept, behind the prefix', () => {
    expect(names(['read-file', 'B_2'], 'fs_')).toEqual({ 'read-file': 'fs_read-file', B_2: 'fs_B_2' })
  })

  it('replaces what providers refuse', () => {
    expect(names(['files/read.all', 'größe'])).toEqual({ 'files/read.all': 'files_read_all', größe: 'gr__e' })
  })

  it('tells names apart that became the same, in any order, and leaves the one that needed no change alone', () => {
    const forwards = names(['a.b', 'a/b', 'a_b'])
    expect(forwards['a_b']).toBe('a_b')
    expect(forwards['a.b']).toMatch(/^a_b_[0-9a-f]{8}$/)
    expect(new Set(Object.values(forwards)).size).toBe(3)
    expect(names(['a_b', 'a/b', 'a.b'])).toEqual(forwards)
  })

  it('cuts a long name so that two with the same beginning stay two', () => {
    const long = 'x'.repeat(80)
    const made = Object.values(names([`${long}1`, `${long}2`], 'p_'))
    expect(new Set(made).size).toBe(2)
    for (const name of made) expect(name).toMatch(/^[a-zA-Z0-9_-]{64}$/)
  })

  it('gives a name to a tool without one', () => {
    expect(names([''])['']).toMatch(/^_[0-9a-f]{8}$/)
  })

  it('gives no name twice when a tool is called like the changed name of another', () => {
    const taken = names(['a.b', 'a/b'])['a.b'] ?? ''
    const made = names([taken, 'a.b', 'a/b'])
    expect(made[taken]).toBe(taken)
    expect(new Set(Object.values(made)).size).toBe(3)
  })
})
