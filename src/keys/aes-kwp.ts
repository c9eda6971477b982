/**
 * Wraps one key under another: AES key wrap with padding (AES-KWP; RFC 5649, NIST SP 800-38F).
 * Deterministic, and it says so when what it unwraps is not what was wrapped.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'

/** RFC 5649, section 3: the constant half of the initial value; the other half is the length. */
const initialValue = Buffer.from('A65959A6', 'hex')

/** The wrapped form of a key of 1 byte or more. */
export function wrapKey(wrapping: KeyObject, key: Uint8Array): Buffer {
  const cipher = createCipheriv(algorithmOf(wrapping), wrapping, initialValue)
  return Buffer.concat([cipher.update(key), cipher.final()])
}

/**
 * The key that was wrapped; undefined if it was not wrapped under this one or was changed since.
 */
export function unwrapKey(wrapping: KeyObject, wrapped: Uint8Array): Buffer | undefined {
  // RFC 5649, section 4.2: OpenSSL takes nothing for the wrapped form of nothing.
  if (wrapped.length < 16 || wrapped.length % 8 !== 0) return undefined
  const decipher = createDecipheriv(algorithmOf(wrapping), wrapping, initialValue)
  try {
    return Buffer.concat([decipher.update(wrapped), decipher.final()])
  } catch {
    return undefined // OpenSSL has one answer for a wrong length, padding or check value.
  }
}

function algorithmOf({ symmetricKeySize }: KeyObject): string {
  if (symmetricKeySize !== 16 && symmetricKeySize !== 24 && symmetricKeySize !== 32) {
    throw new RangeError('A wrapping key is 16, 24 or 32 bytes.')
  }
  return `id-aes${symmetricKeySize * 8}-wrap-pad`
}
