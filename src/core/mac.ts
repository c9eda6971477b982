/**
 * The one MAC of the service: keys become tokens, founding tokens become persons, persons become
 * date shifts.
 *
 * The algorithm belongs to the key and is recorded with it. A column is always equal to its
 * messages taken one by one.
 */
import { createHmac, type KeyObject } from 'node:crypto'
import { type BlockCipher, cmacColumn, cmacOf } from './cmac.ts'

/**
 * `cmac-aes-256`: NIST SP 800-38B; the default, two block encryptions for a 32-byte message.
 * `cmac-aria-256`: the same over ARIA (RFC 5794), for bodies bound to KCMVP.
 * `hmac-sha-256`: FIPS 198-1.
 */
export type MacAlgorithm = 'cmac-aes-256' | 'cmac-aria-256' | 'hmac-sha-256'

const blockCipherOf = {
  'cmac-aes-256': 'aes',
  'cmac-aria-256': 'aria',
  'hmac-sha-256': undefined,
} as const satisfies Record<MacAlgorithm, BlockCipher | undefined>

const tagBytes = 16
/** NIST SP 800-131A asks for 112 bits; no key of ours is shorter than this. */
const hmacKeyBytesMin = 16

/**
 * The whole tag of one message of any length: 16 bytes for CMAC, 32 for HMAC.
 *
 * @param key - exactly 32 bytes for CMAC, 16 or more for HMAC.
 * @throws {RangeError} if the key's length is wrong: a defect in the caller.
 */
export function macOf(algorithm: MacAlgorithm, key: KeyObject, message: Uint8Array): Uint8Array {
  requireKeySize(algorithm, key)
  const cipher = blockCipherOf[algorithm]
  if (cipher !== undefined) return cmacOf(cipher, key, message)
  return createHmac('sha256', key).update(message).digest()
}

/**
 * The tags of a column of messages of one width, cut to 128 bits (which cuts nothing from CMAC).
 *
 * @param messages - n × width bytes, one message after the other.
 * @returns n × 16 bytes in the same order.
 * @throws {RangeError} if the key's length is wrong or a message is not whole: a defect in the
 * caller.
 */
export function macColumn(
  algorithm: MacAlgorithm,
  key: KeyObject,
  messages: Uint8Array,
  width: 16 | 32,
): Uint8Array {
  requireKeySize(algorithm, key)
  const cipher = blockCipherOf[algorithm]
  if (cipher !== undefined) return cmacColumn(cipher, key, messages, width)
  if (messages.length % width !== 0) throw new RangeError('a column holds whole messages')
  const tags = new Uint8Array((messages.length / width) * tagBytes)
  for (let start = 0, tag = 0; start < messages.length; start += width, tag += tagBytes) {
    const whole = createHmac('sha256', key)
      .update(messages.subarray(start, start + width))
      .digest()
    tags.set(whole.subarray(0, tagBytes), tag)
  }
  return tags
}

function requireKeySize(algorithm: MacAlgorithm, key: KeyObject): void {
  const bytes = key.symmetricKeySize ?? 0
  const isRight = algorithm === 'hmac-sha-256' ? bytes >= hmacKeyBytesMin : bytes === 32
  if (!isRight) throw new RangeError('a key of this MAC algorithm has another length')
}
