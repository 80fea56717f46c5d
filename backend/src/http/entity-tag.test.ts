import { describe, expect, it } from 'vitest'
import { checkPreconditions, entityTag, preconditionsOf, tagCondition } from './entity-tag.ts'

const check = (headers: Record<string, string>, hash: string | undefined) => () => checkPreconditions(preconditionsOf(headers), hash)

describe('preconditions of a write', () => {
  it('has none without headers', () => {
    expect(check({}, 'aa')).not.toThrow()
    expect(check({}, undefined)).not.toThrow()
  })

  it('accepts If-Match with the hash that is there, alone, in a list or weak', () => {
    expect(check({ 'if-match': entityTag('aa') }, 'aa')).not.toThrow()
    expect(check({ 'if-match': '"bb", "aa"' }, 'aa')).not.toThrow()
    expect(check({ 'if-match': 'W/"aa"' }, 'aa')).not.toThrow()
  })

  it('refuses If-Match when the file changed or is gone, and says which hash is there', () => {
    expect(check({ 'if-match': '"aa"' }, 'bb')).toThrow(expect.objectContaining({ code: 'version_mismatch', details: { current_hash: 'bb' } }))
    expect(check({ 'if-match': '"aa"' }, undefined)).toThrow(expect.objectContaining({ code: 'version_mismatch', details: { current_hash: null } }))
    expect(check({ 'if-match': '*' }, undefined)).toThrow(expect.objectContaining({ code: 'version_mismatch' }))
  })

  it('accepts If-None-Match: * only where nothing is', () => {
    expect(check({ 'if-none-match': '*' }, undefined)).not.toThrow()
    expect(check({ 'if-none-match': '*' }, 'aa')).toThrow(expect.objectContaining({ code: 'version_mismatch' }))
    expect(check({ 'if-none-match': '*' }, '')).toThrow(expect.objectContaining({ code: 'version_mismatch' }))
  })

  it('names the header that is no list of tags', () => {
    expect(() => tagCondition('aa', 'If-Match')).toThrow(expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining('If-Match') as unknown }))
    expect(() => tagCondition('"aa",', 'If-Match')).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  })
})
