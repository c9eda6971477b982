import { createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { unwrapKey, wrapKey } from '../../src/keys/aes-kwp.ts'
import { holds } from '../core/holds.ts'
import { withVectors, wycheproof } from '../core/vectors.ts'

type Case = {
  tcId: number
  comment: string
  result: 'valid' | 'invalid' | 'acceptable'
} & Record<'key' | 'msg' | 'ct', string>

const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex')

test('answers every Wycheproof case of AES-KWP', withVectors, async (t) => {
  const { count, groups } = wycheproof<{ tests: Case[] }>('aes_kwp_test')
  const cases = groups.flatMap((group) => group.tests)
  t.equal(cases.length, count)
  for (const each of cases) {
    const wrapping = createSecretKey(bytesOf(each.key))
    const unwrapped = unwrapKey(wrapping, bytesOf(each.ct))
    const isInvalid = each.result === 'invalid'
    // "Acceptable" are keys shorter than 16 bytes, which may be taken.
    t.equal(unwrapped?.toString('hex'), isInvalid ? undefined : each.msg, `${each.tcId}: unwraps`)
    if (!isInvalid) t.equal(wrapKey(wrapping, bytesOf(each.msg)).toString('hex'), each.ct)
  }
})

test('unwraps what it wrapped, and nothing that was changed or cut', async (t) => {
  const wrapping = createSecretKey(randomBytes(32))
  const key = fc.uint8Array({ minLength: 1, maxLength: 200 })
  holds(
    t,
    fc.property(key, fc.nat(), fc.nat({ max: 7 }), (secret, at, bit) => {
      const wrapped = wrapKey(wrapping, secret)
      const changed = Buffer.from(wrapped)
      const index = at % changed.length
      changed[index] = (changed[index] ?? 0) ^ (1 << bit)
      return (
        unwrapKey(wrapping, wrapped)?.equals(secret) === true &&
        unwrapKey(wrapping, changed) === undefined &&
        unwrapKey(wrapping, wrapped.subarray(0, index)) === undefined
      )
    }),
  )
})
