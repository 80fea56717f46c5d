import { ERROR_CODES } from '@buildscale/protocol'
import { expect, it } from 'vitest'
import { AppError, publicError, STATUS } from './errors.ts'

it('shows our own errors as they are, and never what lies underneath', () => {
  const error = new AppError('cursor_expired', 'That cursor is beyond the end.', { details: { last_seq: 7 }, cause: new Error('password=hunter2') })
  expect(publicError(error)).toEqual({ code: 'cursor_expired', message: 'That cursor is beyond the end.', details: { last_seq: 7 } })
  expect(error.cause).toBeInstanceOf(Error)
})

it('leaves details out when there are none', () => {
  expect(publicError(new AppError('not_found', 'No such file.'))).toEqual({ code: 'not_found', message: 'No such file.' })
})

it.each([new Error('password=hunter2'), new TypeError('x is undefined'), 'hunter2', { message: 'hunter2' }, undefined, null])('masks foreign errors: %s', (error) => {
  const shown = publicError(error)
  expect(shown.code).toBe('internal')
  expect(JSON.stringify(shown)).not.toMatch(/hunter2|undefined/)
})

it('has a status for every code', () => {
  for (const code of ERROR_CODES) expect(STATUS[code]).toBeGreaterThanOrEqual(400)
})

it.each([
  ['the driver says so', new Error('Client has encountered a connection error and is not queryable')],
  ['the server was shut down', Object.assign(new Error('terminating connection due to unexpected postmaster exit'), { code: '57P01', severity: 'FATAL' })],
  ['the socket broke', Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' })],
])('tells a database that went away, because %s, from a mistake of ours', (_, error) => {
  expect(publicError(error).code).toBe('unavailable')
  expect(publicError(new Error('x is not a function')).code).toBe('internal')
})
