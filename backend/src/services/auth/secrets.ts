import { createHash, randomBytes } from 'node:crypto'

/** What makes our tokens easy to find for secret scanners. */
const TOKEN_PREFIX = 'bs_'

/** 256 random bits: nobody guesses them, so one round of SHA-256 is enough to store them by. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** A new API token. */
export function newToken(): string {
  return TOKEN_PREFIX + newSecret()
}

/** What the database keeps of a secret. Looking a secret up by its hash leaks nothing through time. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
