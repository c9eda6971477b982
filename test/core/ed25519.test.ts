import { test } from 'tap'
import { verifyEd25519 } from '../../src/core/ed25519.ts'
import { withVectors, wycheproof } from './vectors.ts'

type Group = {
  publicKey: { pk: string }
  tests: { tcId: number; comment: string; msg: string; sig: string; result: 'valid' | 'invalid' }[]
}

test('says of every Wycheproof signature what it should', withVectors, async (t) => {
  const { count, groups } = wycheproof<Group>('ed25519_test')
  let seen = 0
  for (const { publicKey, tests } of groups) {
    for (const { tcId, comment, msg, sig, result } of tests) {
      seen++
      const [key, message, signature] = [publicKey.pk, msg, sig].map((hex) =>
        Buffer.from(hex, 'hex'),
      )
      const fits =
        key !== undefined &&
        message !== undefined &&
        signature !== undefined &&
        verifyEd25519(key, message, signature)
      t.equal(fits, result === 'valid', `case ${tcId} ${comment}`)
    }
  }
  t.equal(seen, count)
})

test('a key or a signature of another length verifies nothing', async (t) => {
  t.equal(verifyEd25519(new Uint8Array(31), new Uint8Array(0), new Uint8Array(64)), false)
  t.equal(verifyEd25519(new Uint8Array(32), new Uint8Array(0), new Uint8Array(63)), false)
})
