import { expect, it } from 'vitest'
import { readCookie, sessionCookie } from './cookies.ts'

it('finds a cookie among others', () => {
  expect(readCookie('a=1; buildscale_session=x=y; b=2', 'buildscale_session')).toBe('x=y')
})

it('does not take a cookie whose name only ends alike', () => {
  expect(readCookie('my_buildscale_session=1', 'buildscale_session')).toBeUndefined()
  expect(readCookie(undefined, 'buildscale_session')).toBeUndefined()
})

it('makes a cookie that scripts cannot read and other sites cannot send along', () => {
  expect(sessionCookie('secret', { maxAgeSeconds: 60, secure: true })).toBe('buildscale_session=secret; HttpOnly; SameSite=Lax; Path=/; Max-Age=60; Secure')
})
