import { createPublicKey, verify } from 'node:crypto'

/**
 * What stands before the 32 bytes of an Ed25519 public key in SubjectPublicKeyInfo (RFC 8410
 * section 4).
 */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/**
 * Whether this is the Ed25519 signature (RFC 8032) of the message under the public key, as OpenSSL
 * judges it.
 *
 * @param publicKey - 32 bytes as RFC 8032 encodes them; anything else verifies nothing.
 * @param signature - 64 bytes; anything else is no signature.
 */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  const der = Buffer.concat([spkiPrefix, publicKey])
  return verify(
    null,
    message,
    createPublicKey({ key: der, format: 'der', type: 'spki' }),
    signature,
  )
}
