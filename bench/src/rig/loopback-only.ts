/** A measuring process talks to its server by address. With this loaded nothing can look up a name, so no package reaches anything else on the way. */
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'

function refuse(host: unknown): never {
  throw new Error(`a measured package looked up "${String(host)}": measuring stays on this machine`)
}

Object.assign(dns, { lookup: refuse })
Object.assign(dns.promises, { lookup: refuse })
syncBuiltinESMExports()
