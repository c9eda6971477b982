import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'tap'
import { linkRulesSchema } from '../../../src/core/passes.ts'
import { openSession } from '../../../src/engine/session.ts'
import { type Layout, link, type Population, populations } from './populations.ts'

const rules = linkRulesSchema.parse({ promotePossible: true })

/** SHA-256 of every file of a linkage, and its report without the order of deliveries. */
async function digestsOf(
  population: Population,
  { threads, ...layout }: Layout & { threads: number },
): Promise<string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'gyeol-order-'))
  const session = await openSession({ scratchDir: dir, memoryMiB: 256, threads })
  try {
    const result = await link(session, dir, population, layout)
    const maps = ['spine', 'one', 'two', 'three'].map((agency) => result.maps[agency]?.file)
    const paths = [result.personsFile, result.indexFile, result.changesFile, ...maps]
    const files = await Promise.all(paths.map((path) => (path ? readFile(path) : '')))
    return [...files, JSON.stringify([result.report, result.worklist])].map((bytes) =>
      createHash('sha256').update(bytes).digest('hex'),
    )
  } finally {
    session.close()
    await rm(dir, { recursive: true, force: true })
  }
}

test('gives the same bytes whatever the order of agencies, files and rows and the threads', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      populations.chain((groups) => {
        const records = groups.flatMap((group) => group.records)
        const notices = groups.flatMap((group) => group.notices)
        const all = { minLength: records.length, maxLength: records.length }
        return fc.record({
          population: fc.constant({ records, notices }),
          records: fc.shuffledSubarray(records, all),
          notices: fc.shuffledSubarray(notices, { minLength: notices.length }),
          files: fc.integer({ min: 1, max: 3 }),
          isSorted: fc.boolean(),
        })
      }),
      async ({ population, records, notices, files, isSorted }) => {
        const plain = await digestsOf(population, { rules, threads: 1 })
        const turned = notices.map(([a, b]): [string, string] => [b, a])
        const layout = { rules, files, isSorted, threads: 2 }
        const other = await digestsOf({ records, notices: turned }, layout)
        if (plain.join() !== other.join()) throw new Error('other bytes')
      },
    ),
    { numRuns: 15 },
  )
  t.pass('fifteen times')
})

test('gives the same bytes for thirty thousand records', async (t) => {
  const sources = ['spine', 'one', 'two', 'three']
  const records = Array.from({ length: 30_000 }, (_, index) => {
    const at = (index * 7) % 4
    const who = (index * 13) % 9_000
    return {
      agency: sources[at] ?? '',
      isSpine: at === 0,
      isDuplicateFree: at === 2,
      serial: `s${index}`,
      ...(index % 11 === 0 ? {} : { k1: `n${index % 97 === 0 ? index : who}` }),
      ...(index % 5 === 0 ? {} : { k4: `b${who % 3}` }),
      ...(index % 3 === 0 ? {} : { k2: `m${who % 4_000} b${who % 3}` }),
    }
  })
  const population = { records, notices: [] }
  const one = await digestsOf(population, { rules, threads: 1 })
  const reversed = { records: records.toReversed(), notices: [] }
  t.same(await digestsOf(reversed, { rules, files: 3, threads: 2 }), one)
  t.same(await digestsOf(reversed, { rules, isSorted: true, threads: 2 }), one)
})
