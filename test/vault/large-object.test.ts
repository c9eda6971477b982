import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'tap'
import { openStream, sealStream } from '../../src/vault/sealed-object.ts'
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

test('passes 1 GiB in the memory of 128 MiB', async (t) => {
  const small = await passThrough(128 * mib)
  const large = await passThrough(1024 * mib)
  t.equal(large.seen, 1024 * mib)
  const growth = large.peakMiB - small.peakMiB
  t.ok(
    growth < 64,
    `peak ${Math.round(large.peakMiB)} MiB, ${Math.round(growth)} MiB more than small`,
  )
  const rate = 1024 / large.seconds
  t.comment(`sealed and opened ${Math.round(rate)} MiB/s, peak ${Math.round(large.peakMiB)} MiB`)
  t.ok(rate > 100, 'is not slower than a tenth of what it should be')
})
