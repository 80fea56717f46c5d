import { describe, expect, it } from 'vitest'
import { mayConnect, parseAllowList, type WebAllowList } from './address-guard.ts'

const nothing: WebAllowList = { hosts: new Set(), ranges: [] }
const allow = (...entries: string[]): WebAllowList => parseAllowList(entries) ?? expect.unreachable('a list that is valid')
const may = (address: string, { port = 443, allowed = nothing, host = 'a.example.com' } = {}): boolean => mayConnect({ host, address, port }, allowed)

describe('which addresses tools may reach', () => {
  it.each(['93.184.215.14', '1.1.1.1', '8.8.8.8', '172.15.0.1', '172.32.0.1', '192.167.1.1', '2606:2800:21f:cb07:6820:80da:af6b:8b2c', '2001:4860:4860::8888'])('public ones: %s', (address) => {
    expect(may(address)).toBe(true)
  })

  it.each([
    ['loopback', '127.0.0.1'], ['loopback', '127.255.0.3'], ['loopback', '::1'],
    ['unspecified', '0.0.0.0'], ['unspecified', '0.1.2.3'], ['unspecified', '::'],
    ['private', '10.0.0.1'], ['private', '172.16.0.1'], ['private', '172.31.255.255'], ['private', '192.168.1.1'],
    ['link-local and metadata', '169.254.169.254'], ['link-local', 'fe80::1'], ['link-local with a zone', 'fe80::1%eth0'],
    ['metadata by IPv6', 'fd00:ec2::254'], ['metadata behind carrier NAT', '100.100.100.200'], ['carrier NAT', '100.64.0.1'], ['metadata of a cloud', '168.63.129.16'], ['protocol assignments', '192.0.0.192'],
    ['multicast', '224.0.0.1'], ['multicast', 'ff02::1'], ['broadcast', '255.255.255.255'], ['reserved', '240.0.0.1'],
    ['documentation', '192.0.2.1'], ['documentation', '198.51.100.1'], ['documentation', '203.0.113.1'], ['documentation', '2001:db8::1'], ['documentation', '3fff::1'],
    ['benchmarks', '198.18.0.1'], ['the 6to4 relay', '192.88.99.1'],
    ['unique local', 'fc00::1'], ['unique local', 'fd12:3456::1'], ['site-local', 'fec0::1'],
    ['IPv4-mapped', '::ffff:127.0.0.1'], ['IPv4-mapped, public or not', '::ffff:8.8.8.8'], ['IPv4-compatible', '::127.0.0.1'], ['IPv4-translated', '::ffff:0:127.0.0.1'],
    ['NAT64', '64:ff9b::7f00:1'], ['NAT64 of the network', '64:ff9b:1::a00:1'], ['6to4', '2002:7f00:1::'], ['Teredo', '2001:0:7f00:1::1'], ['discard', '100::1'],
    ['no address', 'localhost'], ['decimal', '2130706433'], ['octal', '0177.0.0.1'], ['hex', '0x7f.0.0.1'], ['short', '127.1'], ['nothing', ''],
  ])('not those of %s: %s', (_what, address) => {
    expect(may(address)).toBe(false)
  })

  it.each([22, 25, 53, 3306, 5432, 6379, 9200, 11211])('not port %i, where no page of the web is', (port) => {
    expect(may('93.184.215.14', { port })).toBe(false)
  })

  it('those that the operator allows, on any port, and no neighbour', () => {
    const allowed = allow('127.0.0.2', '10.1.0.0/16', 'fd12::/16', 'wiki.example.com')
    expect(may('127.0.0.2', { allowed, port: 5000 })).toBe(true)
    expect(may('127.0.0.1', { allowed })).toBe(false)
    expect(may('10.1.2.3', { allowed })).toBe(true)
    expect(may('10.2.2.3', { allowed })).toBe(false)
    expect(may('fd12::1', { allowed })).toBe(true)
    expect(may('192.168.1.1', { allowed, host: 'WIKI.example.com' })).toBe(true)
    expect(may('192.168.1.1', { allowed, host: 'evil.wiki.example.com' })).toBe(false)
  })

  it.each(['10.0.0.0/33', '1.2.3', '300.1.1.1', 'http://wiki', 'a b', '*.example.com', '-x'])('refuse %j as an entry of the list', (entry) => {
    expect(parseAllowList([entry])).toBeUndefined()
  })
})
