import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'tap'
import { openStream, sealStream } from '../../src/vault/sealed-object.ts'
import { optionsFor, setUp } from './new-vault.ts'
import { sealingPair } from './sealing-pair.ts'

const mib = 1 << 20
const pair = sealingPair()
const context = {
  project: '5a6f3bfc-6a41-4a4e-9a2e-8f1a6a3c1d11',
  kind: 'tokens',
  objectId: 'c0ffee00-0000-4000-8000-000000000001',
}

/**
 * Seals and opens `bytes` bytes straight through; gives the highest resident size seen and the
 * time.
 */
async function passThrough(
  bytes: number,
): Promise<{ seconds: number; peakMiB: number; seen: number }> {
  const chunk = Buffer.alloc(64 * 1024, 7)
  let [seen, peakMiB] = [0, 0]
  const start = performance.now()
  await pipeline(
    Readable.from(
      (function* () {
        for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk
      })(),
      { objectMode: false },
    ),
    sealStream(pair.publicKey, pair.keyId, context),
    openStream(pair.opener, context),
    async (plain: AsyncIterable<Uint8Array>) => {
      for await (const piece of plain) {
        seen += piece.length
        peakMiB = Math.max(peakMiB, process.memoryUsage.rss() / mib)
      }
    },
  )
  return { seconds: (performance.now() - start) / 1000, peakMiB, seen }
}

test('passes 1 GiB in bounded memory', async (t) => {
  const small = await passThrough(128 * mib)
  const large = await passThrough(1024 * mib)
  t.equal(large.seen, 1024 * mib)
  // What the collector has not come round to yet; a stream that piled up would be 900 MiB.
  t.ok(large.peakMiB - small.peakMiB < 256, 'takes no more for eight times as much')
  t.ok(large.peakMiB < 640, 'takes no more than a worker can spare')
  const rate = Math.round(1024 / large.seconds)
  t.comment(`sealed and opened ${rate} MiB/s, peak ${Math.round(large.peakMiB)} MiB`)
})

test('holds a few segments of an object that is put, and leaves none to the collector', async (t) => {
  const { vault } = await setUp(t)
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  async function* source(): AsyncGenerator<Uint8Array> {
    const chunk = Buffer.alloc(mib, 7)
    for (let sent = 0; sent < 64; sent += 1) {
      yield chunk
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }
  }
  const { plainBytes } = await vault.put(source(), optionsFor(context.objectId))
  t.equal(plainBytes, 64 * mib)
  t.ok(most < 8 * mib, 'a segment that is written is gone')
})
