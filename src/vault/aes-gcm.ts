/**
 * AES-GCM on one message (NIST SP 800-38D), with the whole 16-byte tag.
 *
 * A nonce must never be used twice with one key; whoever calls must make sure of it. The empty
 * nonce is refused: GCM is not defined for it, and a library that takes it gives the authentication
 * key away. So is one beyond 128 bytes, where OpenSSL ends.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'

/**
 * Under what a message is sealed; the key is 16, 24 or 32 bytes, the nonce 12 bytes unless a
 * foreign format says otherwise.
 */
export type Gcm = { key: KeyObject; nonce: Uint8Array; associated?: Uint8Array }

export const tagBytes = 16
const nonceBytesMax = 128

/**
 * Seals one message: the ciphertext and its tag, apart, so that nobody has to copy them together.
 */
export function gcmSeal(gcm: Gcm, plaintext: Uint8Array): [ciphertext: Buffer, tag: Buffer] {
  const cipher = createCipheriv(algorithmOf(gcm), gcm.key, gcm.nonce, { authTagLength: tagBytes })
  if (gcm.associated !== undefined) cipher.setAAD(gcm.associated)
  const ciphertext = cipher.update(plaintext)
  cipher.final() // Gives nothing: counter mode holds nothing back.
  return [ciphertext, cipher.getAuthTag()]
}

/**
 * Opens ciphertext ‖ tag; undefined if it was not sealed like this. No byte is given before the tag
 * is checked.
 */
export function gcmOpen(gcm: Gcm, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < tagBytes) return undefined
  const decipher = createDecipheriv(algorithmOf(gcm), gcm.key, gcm.nonce, {
    authTagLength: tagBytes,
  })
  if (gcm.associated !== undefined) decipher.setAAD(gcm.associated)
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  const plaintext = decipher.update(sealed.subarray(0, sealed.length - tagBytes))
  try {
    decipher.final()
  } catch {
    return undefined // The one thing that final() has to say: the tag differs.
  }
  return plaintext
}

function algorithmOf(gcm: Gcm): 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' {
  if (gcm.nonce.length < 1 || gcm.nonce.length > nonceBytesMax) {
    throw new RangeError('The nonce of AES-GCM must be 1 to 128 bytes.')
  }
  switch (gcm.key.symmetricKeySize) {
    case 16:
      return 'aes-128-gcm'
    case 24:
      return 'aes-192-gcm'
    case 32:
      return 'aes-256-gcm'
    default:
      throw new RangeError('The key of AES-GCM must be 16, 24 or 32 bytes.')
  }
}
