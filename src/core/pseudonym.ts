/**
 * Pseudonyms: what a release shows in place of a person.
 *
 * The rule: one key a release domain, so pseudonyms of two domains have nothing in common;
 * destroying the key makes the way back impossible.
 */
import {
  type Cipheriv,
  createCipheriv,
  createDecipheriv,
  type Decipheriv,
  type KeyObject,
} from 'node:crypto'

const numberBytes = 16
/** Enciphered in one step: 1 MiB, so that the scratch stays flat however many persons there are. */
const stepBytes = 1 << 20
const cipherName = 'aes-256-ecb'

/**
 * The pseudonyms of a column of persons in one release domain.
 *
 * One AES-256 block encryption a person (FIPS 197): a permutation of 128-bit numbers, so two
 * persons cannot share a pseudonym, and only the holder of the domain's key can go back. ECB here
 * is the permutation applied to each number on its own; there is no message whose blocks could leak
 * a pattern, because person numbers are distinct.
 *
 * @param key - the domain's key, 32 bytes.
 * @param persons - n × 16 bytes, one number after the other.
 * @returns n × 16 bytes in the same order.
 * @throws {RangeError} if a length is wrong: a defect in the caller.
 */
export function pseudonymsOf(key: KeyObject, persons: Uint8Array): Uint8Array {
  requireLengths(key, persons)
  return permuted(createCipheriv(cipherName, key, null), persons)
}

/**
 * The persons behind a column of pseudonyms of one release domain: the way back of `pseudonymsOf`.
 *
 * Every 128-bit number is some person's pseudonym as far as the permutation goes; whether that
 * person exists is for the caller to ask.
 */
export function personsOf(key: KeyObject, pseudonyms: Uint8Array): Uint8Array {
  requireLengths(key, pseudonyms)
  return permuted(createDecipheriv(cipherName, key, null), pseudonyms)
}

function permuted(cipher: Cipheriv | Decipheriv, numbers: Uint8Array): Uint8Array {
  cipher.setAutoPadding(false)
  const images = new Uint8Array(numbers.length)
  for (let start = 0; start < numbers.length; start += stepBytes) {
    images.set(cipher.update(numbers.subarray(start, start + stepBytes)), start)
  }
  return images
}

function requireLengths(key: KeyObject, numbers: Uint8Array): void {
  if (key.symmetricKeySize !== 32) throw new RangeError('the key of a release domain has 32 bytes')
  if (numbers.length % numberBytes !== 0) throw new RangeError('a column holds whole numbers')
}
