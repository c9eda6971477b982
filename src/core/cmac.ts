/**
 * CMAC (NIST SP 800-38B, RFC 4493; over ARIA: RFC 5794 with the same mode) of one message and of a
 * whole column.
 *
 * The block cipher is OpenSSL's; only the mode is here. The rule that makes the column fast: for
 * messages of one length every message takes the same steps, so each step is one call of the cipher
 * over the column, in ECB mode, where every block is enciphered on its own.
 */
import { createCipheriv, type KeyObject } from 'node:crypto'

/** The block ciphers we take CMAC over. Both have blocks of 16 bytes and keys of 16, 24 or 32. */
export type BlockCipher = 'aes' | 'aria'

const blockBytes = 16
const blockWords = 4
/**
 * Messages enciphered in one step, so that memory stays flat however long the column is: at most 4
 * MiB of scratch.
 */
const stepMessages = 65_536

/**
 * The CMAC of one message of any length, 16 bytes.
 *
 * @throws {RangeError} if the key is not 16, 24 or 32 bytes: a defect in the caller.
 */
export function cmacOf(cipher: BlockCipher, key: KeyObject, message: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(message.length / blockBytes))
  const padded = Buffer.alloc(blocks * blockBytes)
  padded.set(message)
  const isWhole = message.length === padded.length
  if (!isWhole) padded[message.length] = 0x80
  const { k1, k2 } = subkeysOf(cipher, key)
  const mask = isWhole ? k1 : k2
  const last = padded.subarray(-blockBytes)
  for (const [i, byte] of mask.entries()) last[i] = (last[i] ?? 0) ^ byte
  // CBC from a zero block is the chain of the standard; its last block is the tag.
  const chain = createCipheriv(cipherName(cipher, key, 'cbc'), key, Buffer.alloc(blockBytes))
  return chain.setAutoPadding(false).update(padded).subarray(-blockBytes)
}

/**
 * The CMACs of a column of messages of one or two whole blocks: T = E(M1 ⊕ K1), or T = E(E(M1) ⊕ M2
 * ⊕ K1).
 *
 * @param messages - n × width bytes, one message after the other.
 * @returns n × 16 bytes in the same order.
 * @throws {RangeError} if a length is wrong: a defect in the caller.
 */
export function cmacColumn(
  cipher: BlockCipher,
  key: KeyObject,
  messages: Uint8Array,
  width: 16 | 32,
): Uint8Array {
  if (messages.length % width !== 0) throw new RangeError('a column holds whole messages')
  const ecb = createCipheriv(cipherName(cipher, key, 'ecb'), key, null).setAutoPadding(false)
  const k1 = wordsOf(subkeysOf(cipher, key).k1)
  const tags = new Uint8Array((messages.length / width) * blockBytes)
  for (let start = 0; start < messages.length; start += stepMessages * width) {
    const step = messages.subarray(start, start + stepMessages * width)
    const last =
      width === 16 ? copied(step) : chained(wordsOf(step), (blocks) => ecb.update(blocks))
    for (let i = 0; i < last.length; i++) last[i] = word(last, i) ^ word(k1, i % blockWords)
    tags.set(ecb.update(last), (start / width) * blockBytes)
  }
  return tags
}

/** E(M1) ⊕ M2 of a column of two-block messages. */
function chained(messages: Uint32Array, encipher: (blocks: Uint32Array) => Buffer): Uint32Array {
  const firsts = new Uint32Array(messages.length / 2)
  for (let i = 0; i < firsts.length; i++) firsts[i] = word(messages, firstOf(i))
  const sums = wordsOf(encipher(firsts))
  for (let i = 0; i < sums.length; i++) {
    sums[i] = word(sums, i) ^ word(messages, firstOf(i) + blockWords)
  }
  return sums
}

/** Where word `i` of the column of first blocks stands in the column of two-block messages. */
function firstOf(i: number): number {
  return 2 * i - (i % blockWords)
}

/** K1 and K2: the cipher of the zero block doubled once and twice (SP 800-38B section 6.1). */
function subkeysOf(cipher: BlockCipher, key: KeyObject): { k1: Uint8Array; k2: Uint8Array } {
  const ecb = createCipheriv(cipherName(cipher, key, 'ecb'), key, null).setAutoPadding(false)
  const k1 = doubled(ecb.update(Buffer.alloc(blockBytes)))
  return { k1, k2: doubled(k1) }
}

/**
 * The block times x in GF(2^128) with x^128 = x^7 + x^2 + x + 1: shifted by one bit, without a
 * branch on the key.
 */
function doubled(block: Uint8Array): Uint8Array {
  const carry = (block[0] ?? 0) >> 7
  const shifted = block.map((byte, i) => (byte << 1) | ((block[i + 1] ?? 0) >> 7))
  shifted[blockBytes - 1] = (shifted[blockBytes - 1] ?? 0) ^ (0x87 & -carry)
  return shifted
}

function cipherName(cipher: BlockCipher, key: KeyObject, mode: 'cbc' | 'ecb'): string {
  const bytes = key.symmetricKeySize ?? 0
  if (![16, 24, 32].includes(bytes)) throw new RangeError('a CMAC key has 16, 24 or 32 bytes')
  return `${cipher}-${bytes * 8}-${mode}`
}

/** As 32-bit words: the same memory, unless it begins between two of them. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const isAligned = bytes.byteOffset % 4 === 0
  return isAligned
    ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    : copied(bytes)
}

/**
 * A copy as 32-bit words. Exclusive or does not care about their byte order; a copy is always
 * aligned.
 */
function copied(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(bytes.length / 4)
  new Uint8Array(words.buffer).set(bytes)
  return words
}

function word(words: Uint32Array, index: number): number {
  return words[index] ?? 0
}
