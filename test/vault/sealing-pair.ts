/**
 * One side's sealing pair for tests, with an opener written from RFC 9180 on node:crypto alone:
 * what the library seals must open here.
 */
import { createDecipheriv, createECDH, createHmac } from 'node:crypto'
import { Refusal } from '../../src/core/errors.ts'
import type { Opener } from '../../src/vault/object-header.ts'

export type SealingPair = { publicKey: Buffer; keyId: string; opener: Opener }

export function sealingPair(keyId = '0b52fd73-3dc2-4f5b-8f8f-6a0a6d1a7a01'): SealingPair {
  const pair = createECDH('prime256v1')
  pair.generateKeys()
  const opener: Opener = async (id, enc, ciphertext, info) => {
    const refuse = (cause?: unknown): never => {
      throw new Refusal('sealed-object-damaged', 'No.', {}, { cause })
    }
    if (id !== keyId) refuse()
    try {
      return openBase(
        pair.computeSecret(enc),
        { enc, publicKey: pair.getPublicKey(), info },
        ciphertext,
      )
    } catch (error) {
      return refuse(error)
    }
  }
  return { publicKey: pair.getPublicKey(), keyId, opener }
}

const kemSuite = Buffer.concat([Buffer.from('KEM'), Buffer.from([0, 0x10])])
const hpkeSuite = Buffer.concat([Buffer.from('HPKE'), Buffer.from([0, 0x10, 0, 1, 0, 2])])
const nothing = new Uint8Array()

/**
 * RFC 9180, sections 4.1, 5.1 and 5.2: decapsulate, schedule, open the first message with no
 * associated data.
 */
function openBase(
  shared: Uint8Array,
  { enc, publicKey, info }: { enc: Uint8Array; publicKey: Uint8Array; info: Uint8Array },
  ciphertext: Uint8Array,
): Buffer {
  const eaePrk = extract(kemSuite, nothing, 'eae_prk', shared)
  const kemContext = Buffer.concat([enc, publicKey])
  const sharedSecret = expand(kemSuite, eaePrk, {
    label: 'shared_secret',
    info: kemContext,
    bytes: 32,
  })
  const context = Buffer.concat([
    Buffer.from([0]),
    extract(hpkeSuite, nothing, 'psk_id_hash', nothing),
    extract(hpkeSuite, nothing, 'info_hash', info),
  ])
  const secret = extract(hpkeSuite, sharedSecret, 'secret', nothing)
  const key = expand(hpkeSuite, secret, { label: 'key', info: context, bytes: 32 })
  const nonce = expand(hpkeSuite, secret, { label: 'base_nonce', info: context, bytes: 12 })
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 })
  decipher.setAuthTag(ciphertext.subarray(ciphertext.length - 16))
  const plaintext = decipher.update(ciphertext.subarray(0, ciphertext.length - 16))
  decipher.final()
  return plaintext
}

function extract(suite: Buffer, salt: Uint8Array, label: string, ikm: Uint8Array): Buffer {
  return createHmac('sha256', salt)
    .update('HPKE-v1')
    .update(suite)
    .update(label)
    .update(ikm)
    .digest()
}

function expand(
  suite: Buffer,
  prk: Uint8Array,
  { label, info, bytes }: { label: string; info: Uint8Array; bytes: number },
): Buffer {
  const hmac = createHmac('sha256', prk)
    .update(Buffer.from([0, bytes]))
    .update('HPKE-v1')
  return hmac
    .update(suite)
    .update(label)
    .update(info)
    .update(Buffer.from([1]))
    .digest()
    .subarray(0, bytes)
}
