/** Signatures of thinking: each fits its text only, so that a client that alters what it replays is found out. */
import { createHash } from 'node:crypto'
import type { Script } from '../script.ts'

const MARK = 'model-sim thinking'

export function signatureOf(thinking: string): string {
  return Buffer.from(`${MARK}\n${createHash('sha256').update(thinking).digest('hex')}`).toString('base64')
}

/** Signatures and redacted data that a script hands out; they are taken back with any text. */
export function scriptedSecrets(script: Script | undefined): ReadonlySet<string> {
  const turns = script?.turns.flatMap(({ answer }) => (answer.type === 'turn' ? [answer.turn] : [])) ?? []
  const given = turns.flatMap(({ parts }) => parts.flatMap((part) => (part.type === 'reasoning' ? [part.encrypted, part.redacted] : [])))
  return new Set(given.filter((secret) => secret !== undefined))
}
