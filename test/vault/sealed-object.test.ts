import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { test } from 'tap'
import { Refusal } from '../../src/core/errors.ts'
import type { SealContext } from '../../src/vault/object-header.ts'
import { objectOpening, openStream, sealStream } from '../../src/vault/sealed-object.ts'
import { sealingPair } from './sealing-pair.ts'

const mib = 1 << 20
const pair = sealingPair()
const context: SealContext = {
  project: '5a6f3bfc-6a41-4a4e-9a2e-8f1a6a3c1d11',
  kind: 'tokens',
  objectId: 'c0ffee00-0000-4000-8000-000000000001',
}

const sealed = (plain: Uint8Array, as = context): Promise<Buffer> =>
  buffer(
    Readable.from([plain], { objectMode: false }).pipe(sealStream(pair.publicKey, pair.keyId, as)),
  )

/** What opens, or the code of the refusal. */
async function outcome(
  bytes: Uint8Array,
  as = context,
  opener = pair.opener,
): Promise<Buffer | string> {
  const run = objectOpening(opener, as)
  try {
    return Buffer.concat([...(await run.push(bytes)), ...(await run.finish())])
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

test('opens what it sealed, at every size around a segment, with other HPKE code', async (t) => {
  for (const size of [0, 1, mib - 233, mib - 232, mib - 231, mib - 1, mib, mib + 1, 2 * mib + 5]) {
    const plain = randomBytes(size)
    const file = await sealed(plain)
    const back = await outcome(file)
    t.ok(plain.equals(Buffer.from(back)), `${size} bytes`)
    t.equal(file.length - size, 136 + 40 + 16 * Math.max(1, Math.ceil((size + 40) / (mib - 16))))
    const streamed = await buffer(
      Readable.from([file], { objectMode: false }).pipe(openStream(pair.opener, context)),
    )
    t.ok(streamed.equals(plain), `${size} bytes as a stream`)
  }
})

test('seals the same content never twice the same', async (t) => {
  const [one, two] = await Promise.all([sealed(Buffer.from('x')), sealed(Buffer.from('x'))])
  t.notOk(one.equals(two))
  t.notOk(one.subarray(136).equals(two.subarray(136)))
})

test('refuses a small object cut at any byte', async (t) => {
  const file = await sealed(Buffer.from('serial,K1\n1,2\n'))
  for (let cut = 0; cut < file.length; cut += 1) {
    const result = await outcome(file.subarray(0, cut))
    if (result !== 'sealed-object-damaged') t.fail(`cut at ${cut}`)
  }
  t.pass()
})

test('refuses a small object with any bit flipped', async (t) => {
  const file = await sealed(Buffer.from('x'))
  for (let bit = 0; bit < file.length * 8; bit += 1) {
    const flipped = Buffer.from(file)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    if ((await outcome(flipped)) !== 'sealed-object-damaged') t.fail(`bit ${bit}`)
  }
  t.pass()
})

test('refuses a large object cut, changed, lengthened or reordered anywhere', async (t) => {
  const file = await sealed(randomBytes(3 * mib + 1000))
  const refused = async (bytes: Uint8Array): Promise<boolean> =>
    (await outcome(bytes)) === 'sealed-object-damaged'
  const at = fc.integer({ min: 0, max: file.length - 1 })
  await fc.assert(
    fc.asyncProperty(at, (cut) => refused(file.subarray(0, cut))),
    { numRuns: 60, examples: [1, 2, 3].map((n) => [136 + n * mib] as [number]) },
  )
  await fc.assert(
    fc.asyncProperty(at, fc.integer({ min: 0, max: 7 }), (byte, bit) => {
      const flipped = Buffer.from(file)
      flipped[byte] = (flipped[byte] ?? 0) ^ (1 << bit)
      return refused(flipped)
    }),
    { numRuns: 60 },
  )
  const segment = (i: number): Buffer => file.subarray(136 + i * mib, 136 + (i + 1) * mib)
  const first = file.subarray(0, 136 + mib)
  t.ok(
    await refused(Buffer.concat([first, segment(2), segment(1), segment(3)])),
    'two segments swapped',
  )
  t.ok(
    await refused(Buffer.concat([first, segment(1), segment(1), segment(2), segment(3)])),
    'one twice',
  )
  t.ok(await refused(Buffer.concat([first, segment(2), segment(3)])), 'one left out')
  t.ok(await refused(Buffer.concat([file, Buffer.from([0])])), 'a byte more')
})

test('refuses an object under the name of another, and to another key', async (t) => {
  const file = await sealed(Buffer.from('of A'))
  const uuid = fc.uuid()
  await fc.assert(
    fc.asyncProperty(
      fc.record({ project: uuid, kind: fc.constantFrom('tokens', 'link-map'), objectId: uuid }),
      fc.subarray(['project', 'kind', 'objectId'] as const, { minLength: 1 }),
      async (other, fields) => {
        const as = { ...context }
        for (const field of fields) as[field] = other[field]
        const isSame =
          as.project === context.project &&
          as.kind === context.kind &&
          as.objectId === context.objectId
        return isSame || (await outcome(file, as)) === 'sealed-object-damaged'
      },
    ),
    { numRuns: 100 },
  )
  t.equal(await outcome(file, context, sealingPair().opener), 'sealed-object-damaged')
  const b = { ...context, objectId: 'c0ffee00-0000-4000-8000-000000000002' }
  const ofB = await sealed(Buffer.from('of B'), b)
  const head = 7 + 16 + 65 + 48
  t.equal(
    await outcome(Buffer.concat([file.subarray(0, head), ofB.subarray(head)])),
    'sealed-object-damaged',
  )
})

test('lets an outage of the opener through as it is', async (t) => {
  const file = await sealed(Buffer.from('x'))
  const outage = new Error('keyring not reachable')
  await t.rejects(objectOpening(() => Promise.reject(outage), context).push(file), outage)
})

test('does not start on a public key that is no point of P-256', async (t) => {
  const sink = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const _ of source);
  }
  for (const bad of [Buffer.alloc(65, 4), Buffer.alloc(33, 2), Buffer.alloc(0)]) {
    await t.rejects(
      pipeline(Readable.from([Buffer.alloc(1)]), sealStream(bad, pair.keyId, context), sink),
    )
  }
  await t.rejects(
    pipeline(Readable.from([Buffer.alloc(1)]), sealStream(pair.publicKey, 'key 1', context), sink),
    RangeError,
  )
})

test('waits for a slow reader', async (t) => {
  const stream = sealStream(pair.publicKey, pair.keyId, context)
  let written = 0
  const chunk = Buffer.alloc(64 * 1024)
  stream.on('error', () => undefined)
  for (let isWilling = true; isWilling && written < 64 * mib; ) {
    isWilling = stream.write(chunk)
    written += chunk.length
    if (!isWilling) {
      isWilling = await Promise.race([
        new Promise<boolean>((resolve) => stream.once('drain', () => resolve(true))),
        new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 200)),
      ])
    }
  }
  t.ok(written <= 3 * mib, `took ${written} bytes before anyone read`)
  stream.destroy()
})
