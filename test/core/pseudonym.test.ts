import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { personsOf, pseudonymsOf } from '../../src/core/pseudonym.ts'
import { holds } from './holds.ts'

const anyKey = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => createSecretKey(bytes))
const anyPersons = fc.nat(40).chain((n) => fc.uint8Array({ minLength: n * 16, maxLength: n * 16 }))

test('is the block encryption of FIPS 197 appendix C.3', async (t) => {
  const key = createSecretKey(
    Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex'),
  )
  const person = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
  const pseudonym = Buffer.from(pseudonymsOf(key, person)).toString('hex')
  t.equal(pseudonym, '8ea2b7ca516745bfeafc49904b496089')
})

test('goes back to the persons it came from', async (t) => {
  holds(
    t,
    fc.property(anyKey, anyPersons, (key, persons) =>
      Buffer.from(persons).equals(personsOf(key, pseudonymsOf(key, persons))),
    ),
  )
})

test('a person has one pseudonym, wherever it stands in the column', async (t) => {
  holds(
    t,
    fc.property(anyKey, anyPersons, fc.nat(), (key, persons, pick) => {
      if (persons.length === 0) return true
      const at = (pick % (persons.length / 16)) * 16
      const alone = pseudonymsOf(key, persons.subarray(at, at + 16))
      return Buffer.from(alone).equals(pseudonymsOf(key, persons).subarray(at, at + 16))
    }),
  )
})

test('200,000 persons have 200,000 pseudonyms, and another domain shares none of them', async (t) => {
  const persons = Buffer.alloc(200_000 * 16)
  for (let i = 0; i < 200_000; i++) persons.writeUInt32BE(i, i * 16)
  const seen = new Set<string>()
  for (const domain of [1, 2]) {
    const key = createSecretKey(Buffer.alloc(32, domain))
    const pseudonyms = Buffer.from(pseudonymsOf(key, persons))
    for (let at = 0; at < pseudonyms.length; at += 16)
      seen.add(pseudonyms.toString('latin1', at, at + 16))
    t.same(Buffer.from(personsOf(key, pseudonyms)).equals(persons), true)
  }
  t.equal(seen.size, 400_000)
})

test('a wrong length is a defect', async (t) => {
  const key = createSecretKey(Buffer.alloc(32))
  t.throws(() => pseudonymsOf(key, new Uint8Array(17)), RangeError)
  t.throws(() => personsOf(key, new Uint8Array(15)), RangeError)
  t.throws(() => pseudonymsOf(createSecretKey(Buffer.alloc(16)), new Uint8Array(16)), RangeError)
})
