/** Which addresses a tool may reach: the public internet, and what the operator allows by name. */
import ipaddr from 'ipaddr.js'

type Address = ReturnType<typeof ipaddr.parse>
type Range = readonly [Address, number]

/** What the operator allows besides: host names, and addresses or ranges of them. */
export interface WebAllowList {
  readonly hosts: ReadonlySet<string>
  readonly ranges: readonly Range[]
}

/** Ports on which the public web is served. */
const PUBLIC_PORTS: ReadonlySet<number> = new Set([80, 443, 8080, 8443])
/** Global unicast: all else of IPv6 is local, reserved, or wraps an IPv4 address (mapped, compatible, NAT64, …). */
const GLOBAL_IPV6 = parseCidr('2000::/3')
/** Public by its number, yet not the internet: documentation, the 6to4 relay, and the service address of a cloud's hosts. */
const NOT_PUBLIC: readonly Range[] = ['3fff::/20', '192.88.99.0/24', '168.63.129.16/32'].map(parseCidr)

/** Undefined when an entry is neither a host name nor an address or range. */
export function parseAllowList(entries: readonly string[]): WebAllowList | undefined {
  const hosts = new Set<string>()
  const ranges: Range[] = []
  for (const entry of entries) {
    const bare = entry.replace(/^\[(.*)\]$/, '$1')
    if (ipaddr.isValidCIDR(bare)) ranges.push(parseCidr(bare))
    else if (isAddress(bare)) ranges.push(wholeAddress(bare))
    else if (/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i.test(entry) && /[a-z]/i.test(entry)) hosts.add(entry.toLowerCase())
    else return undefined
  }
  return { hosts, ranges }
}

/** True when a connection to this address and port may be made for `host`, the name or address in the URL. */
export function mayConnect(to: { readonly host: string; readonly address: string; readonly port: number }, allowed: WebAllowList): boolean {
  if (!isAddress(to.address)) return false
  const address = ipaddr.parse(to.address)
  if (allowed.hosts.has(to.host.toLowerCase()) || allowed.ranges.some((range) => isIn(address, range))) return true
  return PUBLIC_PORTS.has(to.port) && isPublic(address)
}

/** Without brackets; undefined for a name. */
export function literalAddress(host: string): string | undefined {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  return isAddress(bare) ? bare : undefined
}

function isPublic(address: Address): boolean {
  if (NOT_PUBLIC.some((range) => isIn(address, range))) return false
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || isIn(address, GLOBAL_IPV6))
}

function isIn(address: Address, [base, bits]: Range): boolean {
  return address.kind() === base.kind() && address.match(base, bits)
}

/** Four decimal numbers, or IPv6: the other spellings of IPv4 are never taken for an address, whoever wrote them. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)
}

function wholeAddress(text: string): Range {
  const address = ipaddr.parse(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

function parseCidr(text: string): Range {
  return ipaddr.parseCIDR(text)
}
