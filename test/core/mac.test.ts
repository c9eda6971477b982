import { createSecretKey, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { type BlockCipher, cmacColumn, cmacOf } from '../../src/core/cmac.ts'
import { type MacAlgorithm, macColumn, macOf } from '../../src/core/mac.ts'
import { holds } from './holds.ts'
import { withVectors, wycheproof } from './vectors.ts'

type Case = { tcId: number; key: string; msg: string; tag: string; result: 'valid' | 'invalid' }
type Group = { keySize: number; tagSize: number; tests: Case[] }

const algorithms: MacAlgorithm[] = ['cmac-aes-256', 'cmac-aria-256', 'hmac-sha-256']
const widths = [16, 32] as const

function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex')
}

function keyOf(hex: string): KeyObject {
  return createSecretKey(bytesOf(hex))
}

/** What a verifier of tags would say: computed anew, cut to the tag's length, compared. */
function isTagOf(whole: Uint8Array, group: Group, vector: Case): boolean {
  return Buffer.from(whole.subarray(0, group.tagSize / 8)).toString('hex') === vector.tag
}

for (const [cipher, algorithm, file] of [
  ['aes', 'cmac-aes-256', 'aes_cmac_test'],
  ['aria', 'cmac-aria-256', 'aria_cmac_test'],
] as [BlockCipher, MacAlgorithm, string][]) {
  test(`${algorithm} says of every Wycheproof case what it should`, withVectors, async (t) => {
    const { count, groups } = wycheproof<Group>(file)
    let seen = 0
    for (const group of groups) {
      for (const vector of group.tests) {
        seen++
        const key = keyOf(vector.key)
        const name = `case ${vector.tcId}`
        if ([128, 192, 256].includes(group.keySize)) {
          const tag = cmacOf(cipher, key, bytesOf(vector.msg))
          t.equal(isTagOf(tag, group, vector), vector.result === 'valid', name)
        } else {
          t.equal(vector.result, 'invalid', `${name} has a key of no AES size`)
          t.throws(() => cmacOf(cipher, key, bytesOf(vector.msg)), RangeError, name)
        }
        if (group.keySize === 256) {
          const tag = macOf(algorithm, key, bytesOf(vector.msg))
          t.equal(isTagOf(tag, group, vector), vector.result === 'valid', `${name} by macOf`)
        } else {
          t.throws(() => macOf(algorithm, key, bytesOf(vector.msg)), RangeError, name)
        }
      }
    }
    t.equal(seen, count)
  })
}

test('hmac-sha-256 says of every Wycheproof case what it should', withVectors, async (t) => {
  const { count, groups } = wycheproof<Group>('hmac_sha256_test')
  let seen = 0
  for (const group of groups) {
    for (const vector of group.tests) {
      seen++
      const tag = macOf('hmac-sha-256', keyOf(vector.key), bytesOf(vector.msg))
      t.equal(isTagOf(tag, group, vector), vector.result === 'valid', `case ${vector.tcId}`)
    }
  }
  t.equal(seen, count)
})

test(
  'a column of CMACs gives the tags of Wycheproof where messages fit it',
  withVectors,
  async (t) => {
    let compared = 0
    for (const [cipher, file] of [
      ['aes', 'aes_cmac_test'],
      ['aria', 'aria_cmac_test'],
    ] as [BlockCipher, string][]) {
      for (const group of wycheproof<Group>(file).groups) {
        for (const vector of group.tests) {
          const message = bytesOf(vector.msg)
          const width = widths.find((each) => each === message.length)
          if (width === undefined || ![128, 192, 256].includes(group.keySize)) continue
          compared++
          const tag = cmacColumn(cipher, keyOf(vector.key), message, width)
          t.equal(isTagOf(tag, group, vector), vector.result === 'valid', `${file} ${vector.tcId}`)
        }
      }
    }
    t.ok(compared > 20, 'cases of 16 and 32 bytes were found')
  },
)

for (const algorithm of algorithms) {
  for (const width of widths) {
    test(`${algorithm}: a column of ${width}-byte messages is one by one`, async (t) => {
      const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 })
      // The column may stand anywhere in a larger buffer: `offset` makes it unaligned.
      const anyColumn = fc
        .record({ messages: fc.nat(20), offset: fc.nat(7) })
        .chain(({ messages, offset }) => {
          const length = offset + messages * width
          return fc
            .uint8Array({ minLength: length, maxLength: length })
            .map((bytes) => bytes.subarray(offset))
        })
      holds(
        t,
        fc.property(anyKey, anyColumn, (keyBytes, messages) => {
          const key = createSecretKey(keyBytes)
          const tags = macColumn(algorithm, key, messages, width)
          const oneByOne = Array.from({ length: messages.length / width }, (_, i) =>
            macOf(algorithm, key, messages.subarray(i * width, (i + 1) * width)).subarray(0, 16),
          )
          return Buffer.concat(oneByOne).equals(tags)
        }),
      )
    })
  }
}

test('a column longer than one step keeps its order', async (t) => {
  const key = createSecretKey(Buffer.alloc(32, 7))
  const messages = Buffer.alloc(150_001 * 32)
  for (let i = 0; i < 150_001; i++) messages.writeUInt32LE(i, i * 32 + (i % 28))
  const tags = macColumn('cmac-aes-256', key, messages, 32)
  for (const i of [0, 65_535, 65_536, 131_071, 131_072, 150_000]) {
    const alone = macOf('cmac-aes-256', key, messages.subarray(i * 32, (i + 1) * 32))
    t.same(tags.subarray(i * 16, (i + 1) * 16), alone, `message ${i}`)
  }
})

test('a column that ends inside a message is a defect', async (t) => {
  const key = createSecretKey(Buffer.alloc(32))
  for (const algorithm of algorithms) {
    t.throws(() => macColumn(algorithm, key, new Uint8Array(33), 32), RangeError)
  }
})

test('a key of another length than the algorithm names is a defect', async (t) => {
  for (const [algorithm, bytes] of [
    ['cmac-aes-256', 16],
    ['cmac-aria-256', 24],
    ['hmac-sha-256', 15],
  ] as [MacAlgorithm, number][]) {
    const key = createSecretKey(Buffer.alloc(bytes))
    t.throws(() => macOf(algorithm, key, new Uint8Array(1)), RangeError)
    t.throws(() => macColumn(algorithm, key, new Uint8Array(16), 16), RangeError)
  }
})
