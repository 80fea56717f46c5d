import { AppError } from '../../errors.ts'
import { literalAddress, type WebAllowList } from './address-guard.ts'

const MAX_URL_LENGTH = 4_096
/** Names that never mean a host of the public internet (RFC 6761, 6762, 8375, and what networks call their own). */
const LOCAL_NAMES = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|private|localdomain|home\.arpa|test|invalid|onion)$/

/** A URL that may be asked for, before any address is known. Throws `invalid_request` with words for a model. */
export function parseWebUrl(text: string, allowed: WebAllowList): URL {
  const url = text.length > MAX_URL_LENGTH ? null : URL.parse(text.trim())
  if (url === null) throw new AppError('invalid_request', `${shown(text)} is not a complete URL. Give one that starts with https:// or http://.`)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new AppError('invalid_request', `${shown(text)} is not a web address: only http:// and https:// are. Files of the workspace are read with read.`)
  if (url.username !== '' || url.password !== '') throw new AppError('invalid_request', 'The URL holds a user name or a password. Only public pages can be fetched: leave it out.')
  checkHost(url, allowed)
  url.hash = ''
  return url
}

/** The words for every address that must not be reached, the same whatever is there. */
export function notPublic(url: URL): AppError {
  return new AppError('invalid_request', `${shown(url.host)} cannot be reached: only public addresses of the internet can, on the usual ports of the web. The operator can allow others (BUILDSCALE_WEB_ALLOW).`)
}

/** For messages: short, in quotes. */
export function shown(text: string): string {
  return JSON.stringify((text.length > 200 ? `${text.slice(0, 199)}…` : text).toWellFormed())
}

function checkHost(url: URL, { hosts }: WebAllowList): void {
  const host = url.hostname.toLowerCase()
  if (hosts.has(host) || literalAddress(host) !== undefined) return
  if (host.endsWith('.')) throw new AppError('invalid_request', `The host name ${shown(host)} ends with a dot. Leave the dot out.`)
  if (!host.includes('.') || LOCAL_NAMES.test(host)) throw notPublic(url)
}
