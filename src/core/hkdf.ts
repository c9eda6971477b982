import { hkdfSync } from 'node:crypto'

/**
 * The hash functions under which keys are derived. Ours is SHA-256; the others are in foreign test
 * vectors.
 */
export type HkdfHash = 'sha1' | 'sha256' | 'sha512'

/**
 * Where a derived key comes from and what for. Two derivations share a key only if all three are
 * equal.
 */
export type Derivation = { key: Uint8Array; salt: Uint8Array; info: Uint8Array }

/**
 * Derives `bytes` bytes from a secret (HKDF, RFC 5869).
 *
 * @throws {RangeError} beyond 255 hash lengths (RFC 5869, section 2.3): a defect in the caller.
 */
export function hkdf(hash: HkdfHash, from: Derivation, bytes: number): Buffer {
  const hashBytes = { sha1: 20, sha256: 32, sha512: 64 }[hash]
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > 255 * hashBytes) {
    throw new RangeError('HKDF gives 1 to 255 hash lengths.')
  }
  return Buffer.from(hkdfSync(hash, from.key, from.salt, from.info, bytes))
}
