/** Stands in for OpenAI's encrypted reasoning: opaque to clients, bound to one item, a different value in each of the three places where it is sent. */
export type SecretPlace = 'added' | 'done' | 'completed'

const MARK = 'model-sim'

export function ownSecret(id: string, place: SecretPlace): string {
  return Buffer.from(`${MARK}\n${id}\n${place}`).toString('base64url')
}

/** True when this program made `secret` for the item `id`. Text that a script gives itself is always accepted. */
export function isOwnSecret(secret: string, id: string): boolean {
  const [mark, owner] = Buffer.from(secret, 'base64url').toString().split('\n')
  return mark !== MARK || owner === id
}
