import { describe, expect, it } from 'vitest'
import { fuseRankings, type Place } from './hybrid-ranking.ts'

const place = (path: string, line = 1, endLine = line): Place => ({ path, line, endLine })
const names = (fused: ReturnType<typeof fuseRankings>): readonly string[] => fused.map(({ places: [{ path, line }] }) => `${path}:${line}`)

describe('hybrid ranking', () => {
  it('puts what two ways of searching find in the middle before what one of them finds first', () => {
    const fused = fuseRankings([
      { source: 'text', places: [place('/only-words'), place('/x'), place('/both')] },
      { source: 'semantic', places: [place('/only-meaning'), place('/y'), place('/both')] },
    ])
    expect(fused[0]).toMatchObject({ sources: ['text', 'semantic'], places: [{ path: '/both' }, { path: '/both' }] })
  })

  it('is the sum of weight / (60 + rank)', () => {
    const fused = fuseRankings([
      { source: 'text', places: [place('/a'), place('/b')] },
      { source: 'semantic', weight: 0.5, places: [place('/b'), place('/c')] },
    ])
    expect(fused.map(({ score, places: [{ path }] }) => [path, score])).toEqual([['/b', 1 / 62 + 0.5 / 61], ['/a', 1 / 61], ['/c', 0.5 / 62]])
  })

  it('lets a list that counts less never win a tie', () => {
    expect(names(fuseRankings([{ source: 'semantic', weight: 0.9, places: [place('/a')] }, { source: 'text', places: [place('/b')] }]))).toEqual(['/b:1', '/a:1'])
  })

  it('orders equals by path and line, whichever list came first', () => {
    const [one, two] = [{ source: 'text', places: [place('/b', 3), place('/z')] }, { source: 'semantic', places: [place('/a', 9), place('/y')] }] as const
    expect(names(fuseRankings([one, two]))).toEqual(['/a:9', '/b:3', '/y:1', '/z:1'])
    expect(names(fuseRankings([two, one]))).toEqual(names(fuseRankings([one, two])))
  })

  it('takes places that overlap or nearly touch for one, and others of the same file not', () => {
    const passages = { source: 'semantic', places: [place('/a', 10, 20), place('/a', 40, 50)] }
    const fusedWith = (line: number): number => fuseRankings([passages, { source: 'text', places: [place('/a', line)] }]).length
    expect([7, 8, 15, 22, 23, 30, 42].map(fusedWith)).toEqual([3, 2, 2, 2, 3, 3, 2])
  })

  it('keeps apart what one list has found apart, however near', () => {
    expect(fuseRankings([{ source: 'regex', places: [place('/a', 1), place('/a', 2), place('/a', 3)] }])).toHaveLength(3)
    const fused = fuseRankings([{ source: 'text', places: [place('/a', 5)] }, { source: 'semantic', places: [place('/a', 1, 5), place('/a', 6, 9)] }])
    expect(fused.map(({ sources }) => sources)).toEqual([['text', 'semantic'], ['semantic']])
  })

  it('of nothing is nothing', () => {
    expect(fuseRankings([])).toEqual([])
    expect(fuseRankings([{ source: 'text', places: [] }])).toEqual([])
  })
})
