import { describe, expect, it } from 'vitest'
import { ancestorPaths, baseName, isInside, parentPath, parsePath } from './file-path.ts'

describe('parsePath', () => {
  it.each([
    ['/', '/'],
    ['', '/'],
    ['.', '/'],
    ['notes.md', '/notes.md'],
    ['./src//a.ts', '/src/a.ts'],
    ['/src/./b/', '/src/b'],
    ['/Src/[id] é/@x/..hidden/a..b/...', '/Src/[id] é/@x/..hidden/a..b/...'],
    ['/cafe\u0301', '/caf\u00e9'],
    ['/%2e%2e/x', '/%2e%2e/x'],
    ['/~/$HOME/*?"<>|:', '/~/$HOME/*?"<>|:'],
    [`/${'x'.repeat(255)}`, `/${'x'.repeat(255)}`],
  ])('reads %j as %j', (input, path) => {
    expect(parsePath(input)).toBe(path)
    expect(parsePath(path)).toBe(path)
  })

  it.each([
    ['/a/../b', '".."'],
    ['..', '".."'],
    ['a/..', '".."'],
    ['/a\0b', 'NUL'],
    ['/a\nb', 'control character'],
    ['/a\u0085b', 'control character'],
    ['/a\\..\\b', 'backslash'],
    ['/\ud800', 'not valid Unicode'],
    [`/${'x'.repeat(256)}`, '255 bytes'],
    [`/${'é'.repeat(128)}`, '255 bytes'],
    [`/${'x'.repeat(200)}`.repeat(6), '1024 bytes'],
  ])('refuses %j, saying why', (input, why) => {
    expect(() => parsePath(input)).toThrow(expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(why) as string }) as Error)
  })

  it('shows a refused path without the characters that were refused', () => {
    expect(() => parsePath('/\u001b[31mred')).toThrow(/^[^\u0000-\u001f]*$/)
  })
})

describe('parts of a path', () => {
  it('names parents, ancestors and the last segment', () => {
    expect([parentPath('/a/b'), parentPath('/a'), parentPath('/')]).toEqual(['/a', '/', null])
    expect([baseName('/a/b.c'), baseName('/')]).toEqual(['b.c', '/'])
    expect([ancestorPaths('/a/b/c'), ancestorPaths('/a'), ancestorPaths('/')]).toEqual([['/a', '/a/b'], [], []])
  })

  it('tells what is inside a folder by whole segments', () => {
    expect([isInside('/a/b', '/a'), isInside('/a', '/'), isInside('/ab', '/a'), isInside('/a', '/a'), isInside('/', '/')]).toEqual([true, true, false, false, false])
  })
})
