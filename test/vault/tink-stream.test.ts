import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { hkdf } from '../../src/core/hkdf.ts'
import { gcmSeal } from '../../src/vault/aes-gcm.ts'
import {
  type TinkParameters,
  tinkHeaderBytes,
  tinkOpening,
  tinkSealing,
} from '../../src/vault/tink-stream.ts'
import { tinkVectors } from './tink-vectors.ts'

const small: TinkParameters = { hash: 'sha256', derivedKeyBytes: 32, segmentBytes: 80 }

function seal(parameters: TinkParameters, key: Key, header: Buffer, chunks: Uint8Array[]): Buffer {
  const pieces: Buffer[] = [header]
  const run = tinkSealing(parameters, { ...key, header }, (piece) => pieces.push(piece))
  for (const chunk of chunks) run.push(chunk)
  run.finish()
  return Buffer.concat(pieces)
}

function open(
  parameters: TinkParameters,
  key: Key,
  sealed: Buffer,
  chunkBytes = 7,
): Buffer | undefined {
  const pieces: Buffer[] = []
  const headerBytes = tinkHeaderBytes(parameters)
  const damaged = new Error('damaged')
  try {
    const refuse = (): never => {
      throw damaged
    }
    if (sealed.length < headerBytes) refuse()
    const header = sealed.subarray(0, headerBytes)
    const run = tinkOpening(parameters, { ...key, header }, (piece) => pieces.push(piece), refuse)
    for (let at = headerBytes; at < sealed.length; at += chunkBytes) {
      run.push(sealed.subarray(at, at + chunkBytes))
    }
    run.finish()
  } catch (error) {
    if (error !== damaged) throw error
    return undefined
  }
  return Buffer.concat(pieces)
}

type Key = { dataKey: Uint8Array; associated: Uint8Array }
const key: Key = { dataKey: Buffer.alloc(32, 1), associated: Buffer.from('aad') }
const headerOf = (parameters: TinkParameters, fill: number): Buffer => {
  const header = Buffer.alloc(tinkHeaderBytes(parameters), fill)
  header[0] = header.length
  return header
}

test('seals and opens every vector of Tink to the byte', async (t) => {
  for (const { name, parameters, dataKey, associated, plaintext, sealed } of tinkVectors) {
    const header = sealed.subarray(0, tinkHeaderBytes(parameters))
    const theirs = { dataKey, associated }
    t.ok(seal(parameters, theirs, header, [plaintext]).equals(sealed), `${name}: sealed`)
    t.ok(open(parameters, theirs, sealed)?.equals(plaintext), `${name}: opened`)
  }
})

test('gives back any content, however it is cut into chunks', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 300 }),
      (chunks, size) => {
        const whole = Buffer.concat(chunks)
        const header = headerOf(small, 3)
        const sealed = seal(small, key, header, chunks)
        return (
          sealed.equals(seal(small, key, header, [whole])) &&
          open(small, key, sealed, size)?.equals(whole) === true
        )
      },
    ),
    { numRuns: 500 },
  )
  t.pass()
})

test('refuses every truncation, at each byte of streams of one to five segments', async (t) => {
  for (const length of [0, 1, 23, 24, 25, 88, 89, 152, 300]) {
    const sealed = seal(small, key, headerOf(small, 5), [Buffer.alloc(length, 9)])
    t.equal(open(small, key, sealed)?.length, length)
    for (let cut = 0; cut < sealed.length; cut += 1) {
      if (open(small, key, sealed.subarray(0, cut)) !== undefined)
        t.fail(`length ${length}, cut at ${cut}`)
    }
  }
})

test('refuses every flipped bit', async (t) => {
  const sealed = seal(small, key, headerOf(small, 5), [Buffer.alloc(130, 9)])
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const flipped = Buffer.from(sealed)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    if (open(small, key, flipped) !== undefined) t.fail(`bit ${bit}`)
  }
  t.pass()
})

test('refuses segments in another order, twice, left out, or from another stream', async (t) => {
  const content = [Buffer.alloc(24 + 64 * 4 + 10, 9)]
  const sealed = seal(small, key, headerOf(small, 5), content)
  const segments = Array.from({ length: 5 }, (_, i) => sealed.subarray(80 * i + 80, 80 * i + 160))
  const first = sealed.subarray(0, 80)
  const original = [0, 1, 2, 3, 4]
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 7 }), (order) => {
      const rebuilt = Buffer.concat([first, ...order.map((i) => segments[i] ?? Buffer.alloc(0))])
      const isOriginal = order.join() === original.join()
      return (open(small, key, rebuilt) !== undefined) === isOriginal
    }),
    {
      numRuns: 2000,
      examples: [[original], [[1, 0, 2, 3, 4]], [[0, 1, 2, 3]], [[0, 1, 2, 3, 4, 4]]],
    },
  )
  const other = seal(small, key, headerOf(small, 6), content)
  t.equal(
    open(small, key, Buffer.concat([sealed.subarray(0, 160), other.subarray(160)])),
    undefined,
  )
  t.equal(open(small, key, Buffer.concat([other.subarray(0, 40), sealed.subarray(40)])), undefined)
  t.equal(open(small, { ...key, associated: Buffer.from('aae') }, sealed), undefined)
  t.equal(open(small, { ...key, dataKey: Buffer.alloc(32, 2) }, sealed), undefined)
})

test('refuses an empty last segment after full ones, which Tink never writes', async (t) => {
  const pieces: Buffer[] = []
  const header = headerOf(small, 5)
  // 24 bytes fill the first segment; a sealer that did not wait would mark it "more follows" and
  // end with an empty one.
  const run = tinkSealing(small, { ...key, header }, (piece) => pieces.push(piece))
  run.push(Buffer.alloc(24 + 1, 9))
  const [ciphertext, tag] = pieces
  const salt = header.subarray(1, 33)
  const derived = hkdf('sha256', { key: key.dataKey, salt, info: key.associated }, 32)
  const nonce = Buffer.concat([header.subarray(33), Buffer.from([0, 0, 0, 1, 1])])
  const [, emptyTag] = gcmSeal({ key: createSecretKey(derived), nonce }, Buffer.alloc(0))
  const forged = Buffer.concat([header, ciphertext ?? header, tag ?? header, emptyTag])
  t.equal(forged.length, 80 + 16)
  t.equal(open(small, key, forged), undefined)
})
