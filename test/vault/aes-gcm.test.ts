import { createSecretKey } from 'node:crypto'
import { test } from 'tap'
import { gcmOpen, gcmSeal } from '../../src/vault/aes-gcm.ts'
import { withVectors, wycheproof } from '../core/vectors.ts'

type Case = {
  tcId: number
  comment: string
  result: 'valid' | 'invalid'
} & Record<'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag', string>

const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex')

test('answers every Wycheproof case of AES-GCM', withVectors, async (t) => {
  const { count, groups } = wycheproof<{ tests: Case[] }>('aes_gcm_test')
  const counts = { valid: 0, invalid: 0, nonceRefused: 0 }
  for (const each of groups.flatMap((group) => group.tests)) {
    const key = createSecretKey(bytesOf(each.key))
    const gcm = { key, nonce: bytesOf(each.iv), associated: bytesOf(each.aad) }
    const plain = bytesOf(each.msg)
    const sealed = bytesOf(each.ct + each.tag)
    if (gcm.nonce.length === 0 || gcm.nonce.length > 128) {
      t.throws(() => gcmSeal(gcm, plain), RangeError, `${each.tcId}: nonce refused in sealing`)
      t.throws(() => gcmOpen(gcm, sealed), RangeError, `${each.tcId}: nonce refused in opening`)
      counts.nonceRefused += 1
    } else if (each.result === 'valid') {
      t.ok(Buffer.concat(gcmSeal(gcm, plain)).equals(sealed), `${each.tcId}: seals`)
      t.ok(gcmOpen(gcm, sealed)?.equals(plain), `${each.tcId}: opens`)
      counts.valid += 1
    } else {
      t.equal(gcmOpen(gcm, sealed), undefined, `${each.tcId}: ${each.comment}`)
      counts.invalid += 1
    }
  }
  // Six empty nonces, and three of 257 bytes, which the vectors call valid and OpenSSL does not
  // take.
  t.equal(counts.nonceRefused, 9)
  t.equal(counts.valid + counts.invalid + counts.nonceRefused, count)
})

test('refuses what is shorter than a tag', async (t) => {
  const gcm = { key: createSecretKey(Buffer.alloc(32)), nonce: Buffer.alloc(12) }
  t.equal(gcmOpen(gcm, Buffer.alloc(15)), undefined)
})
