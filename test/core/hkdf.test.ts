import { test } from 'tap'
import { hkdf } from '../../src/core/hkdf.ts'
import { withVectors, wycheproof } from './vectors.ts'

type Case = { tcId: number; comment: string; size: number; result: 'valid' | 'invalid' } & Record<
  'ikm' | 'salt' | 'info' | 'okm',
  string
>

const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex')

test('answers every Wycheproof case of HKDF-SHA-256', withVectors, async (t) => {
  const { count, groups } = wycheproof<{ tests: Case[] }>('hkdf_sha256_test')
  const cases = groups.flatMap((group) => group.tests)
  t.equal(cases.length, count)
  for (const each of cases) {
    const from = { key: bytesOf(each.ikm), salt: bytesOf(each.salt), info: bytesOf(each.info) }
    if (each.result === 'valid') {
      t.equal(hkdf('sha256', from, each.size).toString('hex'), each.okm, `${each.tcId}`)
    } else {
      t.throws(() => hkdf('sha256', from, each.size), RangeError, `${each.tcId}: ${each.comment}`)
    }
  }
})

test('refuses to derive nothing', async (t) => {
  const from = { key: Buffer.alloc(32), salt: Buffer.alloc(0), info: Buffer.alloc(0) }
  for (const bytes of [0, -1, 1.5]) t.throws(() => hkdf('sha256', from, bytes), RangeError)
})
