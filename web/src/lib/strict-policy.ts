/**
 * Imported first of all: the schemas of the protocol would otherwise try out, while they load, whether they may compile code. The server's content
 * security policy forbids that, and the browser reports each try as a violation.
 */
import { config } from 'zod'

config({ jitless: true })
