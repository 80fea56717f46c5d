import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { AppError } from '../../errors.ts'

/** Encrypts a secret so that only who shows the same credential again can read it: the database, which knows only the credential's hash, cannot. */
export function seal(secret: string, credential: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', keyOf(credential), nonce)
  const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url')
}

/** The secret of `seal`. Throws `conflict` when the credential is another one. */
export function openSealed(sealed: string, credential: string): string {
  const bytes = Buffer.from(sealed, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', keyOf(credential), bytes.subarray(0, 12), { authTagLength: 16 })
  decipher.setAuthTag(bytes.subarray(12, 28))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
  } catch (cause) {
    throw new AppError('conflict', 'This Idempotency-Key was used with another sign-in. A token is shown only to the one that made it.', { cause })
  }
}

function keyOf(credential: string): Buffer {
  return Buffer.from(hkdfSync('sha256', credential, '', 'buildscale sealed answer', 32))
}
