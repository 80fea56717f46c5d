import { describe, expect, it } from 'vitest'
import { isHostAllowed } from './host-guard.ts'

const LOOPBACK = { loopbackOnly: true, allowedHosts: [] }

describe('isHostAllowed', () => {
  it.each(['localhost', 'localhost:3000', '127.0.0.1:3000', '[::1]:3000', 'LOCALHOST:80'])('serves %s on a loopback address', (host) => {
    expect(isHostAllowed(host, LOOPBACK)).toBe(true)
  })

  it.each(['evil.example', 'evil.example:3000', '127.0.0.1.evil.example', 'localhost.evil.example', '127.0.0.1@evil.example', '', 'localhost:x', undefined])(
    'refuses %j on a loopback address, which a rebound DNS name would send',
    (host) => {
      expect(isHostAllowed(host, LOOPBACK)).toBe(false)
    },
  )

  it('serves a configured name beside the loopback names', () => {
    const policy = { loopbackOnly: true, allowedHosts: ['Dev.Example'] }
    expect(isHostAllowed('dev.example:8080', policy)).toBe(true)
    expect(isHostAllowed('localhost', policy)).toBe(true)
  })

  it('serves any name on a public address, unless names are configured', () => {
    expect(isHostAllowed('build.example', { loopbackOnly: false, allowedHosts: [] })).toBe(true)
    expect(isHostAllowed('other.example', { loopbackOnly: false, allowedHosts: ['build.example'] })).toBe(false)
  })
})
