import fc from 'fast-check'
import { test } from 'tap'
import { checkpointText } from '../../src/core/checkpoint.ts'
import type { KeptLeaf } from '../../src/core/export-trail.ts'
import { emptyRoot } from '../../src/core/merkle.ts'
import { trailLine } from '../../src/core/trail-lines.ts'
import {
  type TrailExpectation,
  type TrailReport,
  verifyTrail,
} from '../../src/core/verify-trail.ts'
import { checkpointOf, leafOf, linesOf, logOf, signerOf } from './trail-fixture.ts'

const log = logOf(1_234)
const whole = { from: 0, to: 1_234 }
const trusted = { verifierKeys: [log.signer.verifierKey] }
const lines = await linesOf(log, whole)

/** Where the problems are, as one text. */
async function placesIn(
  exported: Iterable<string>,
  expectation: TrailExpectation = trusted,
): Promise<string> {
  const report = await verifyTrail(exported, expectation)
  if (report.verified !== (report.problemCount === 0))
    throw new Error('the report contradicts itself')
  return report.problems.map(({ where }) => where).join(', ')
}

/** The log with its leaves replaced, renumbered so that only the roots can tell. */
async function renumbered(leaves: readonly KeptLeaf[]): Promise<string[]> {
  return linesOf(
    log,
    whole,
    leaves.map((leaf, number) => ({ ...leaf, number })),
  )
}

test('a trail as it was signed is verified', async (t) => {
  const report = await verifyTrail(lines, { ...trusted, olderCheckpoint: checkpointOf(log, 777) })
  const expected: TrailReport = {
    verified: true,
    origin: 'gyeol.example/trail',
    size: 1_234,
    root: report.root,
    leaves: 1_234,
    checkpoints: 14, // Twelve hundreds, the last size, and the end.
    cosigners: [],
    otherCosignatures: 0,
    problems: [],
    problemCount: 0,
    unchecked: [],
  }
  t.same(report, expected)
  t.equal(checkpointOf(log, 1_234).split('\n')[2], report.root)
})

test('any range of the trail is verified on its own', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.nat(1_234), fc.nat(1_234), async (a, b) => {
      const range = { from: Math.min(a, b), to: Math.max(a, b) }
      const report = await verifyTrail(await linesOf(log, range), trusted)
      return report.verified && report.leaves === range.to - range.from && report.size === 1_234
    }),
    { numRuns: 30 },
  )
  t.pass('the property holds')
})

test('a trail without leaves is verified', async (t) => {
  const empty = logOf(0)
  const none = checkpointText({ origin: empty.origin, size: 0, root: emptyRoot })
  const report = await verifyTrail(await linesOf(empty, { from: 0, to: 0 }), {
    ...trusted,
    olderCheckpoint: empty.signer.noteOf(none),
  })
  t.equal(report.verified, true)
})

test('says which leaf was edited', async (t) => {
  const kept = log.leaves.map((leaf) =>
    leaf.number === 456 ? { ...leaf, entry: Buffer.from('{"action":"nothing"}') } : leaf,
  )
  t.equal(await placesIn(await linesOf(log, whole, kept)), 'leaf 456')
})

test('says between which checkpoints a leaf was edited together with its hash', async (t) => {
  const kept = log.leaves.with(456, leafOf(456, 'nothing'))
  t.equal(await placesIn(await linesOf(log, whole, kept)), 'leaves 400 to 499')
})

test('an older checkpoint narrows the place', async (t) => {
  const kept = log.leaves.with(456, leafOf(456, 'nothing'))
  const olderCheckpoint = checkpointOf(log, 450)
  const places = await placesIn(await linesOf(log, whole, kept), { ...trusted, olderCheckpoint })
  t.equal(places, 'leaves 450 to 499')
})

test('says which leaves were dropped', async (t) => {
  const without = (first: number, last: number): Promise<string[]> =>
    linesOf(
      log,
      whole,
      log.leaves.filter(({ number }) => number < first || number > last),
    )
  t.equal(await placesIn(await without(500, 500)), 'leaf 500')
  t.equal(await placesIn(await without(500, 520)), 'leaves 500 to 520')
  t.equal(await placesIn(await without(0, 2)), 'leaves 0 to 2')
  t.equal(await placesIn(await without(1_200, 1_233)), 'leaves 1200 to 1233')
})

test('says between which checkpoints leaves were dropped and the rest renumbered', async (t) => {
  const places = await placesIn(await renumbered(log.leaves.toSpliced(611, 1)))
  t.match(places, /^leaves 600 to 699, /)
})

test('says between which checkpoints a leaf was inserted', async (t) => {
  const places = await placesIn(await renumbered(log.leaves.toSpliced(611, 0, leafOf(0, 'extra'))))
  t.match(places, /^leaves 600 to 699/)
  const twice = lines.toSpliced(300, 0, lines[300] ?? '')
  t.match(await placesIn(twice), /^leaf \d+$/, 'the same leaf twice')
})

test('says where leaves were put in another order', async (t) => {
  const [a, b] = [log.leaves[801], log.leaves[802]]
  if (a === undefined || b === undefined) throw new Error('the log is shorter than the test')
  t.equal(
    await placesIn(await renumbered(log.leaves.with(801, b).with(802, a))),
    'leaves 800 to 899',
  )
  const swapped = lines.with(5, lines[6] ?? '').with(6, lines[5] ?? '')
  t.equal(await placesIn(swapped), 'leaf 4, leaf 4')
})

test('says that the end was cut off', async (t) => {
  t.equal(await placesIn(lines.slice(0, -1)), 'end')
  t.equal(await placesIn(lines.slice(0, 700)), 'end')
  t.equal(await placesIn([]), 'end')
})

test('says that a shorter trail was signed than the auditor saw', async (t) => {
  const shorter = logOf(1_100)
  const olderCheckpoint = checkpointOf(log, 1_234)
  const places = await placesIn(await linesOf(shorter, { from: 0, to: 1_100 }), {
    ...trusted,
    olderCheckpoint,
  })
  t.equal(places, 'older checkpoint')
})

test('says that another history was signed than the auditor saw', async (t) => {
  const other = logOf(1_234)
  other.leaves[250] = leafOf(250, 'nothing')
  const olderCheckpoint = checkpointOf(log, 777)
  const places = await placesIn(await linesOf(other, whole), { ...trusted, olderCheckpoint })
  t.equal(places, 'leaves 0 to 776', 'though its own checkpoints fit')
})

test('an older checkpoint outside the range is not passed over in silence', async (t) => {
  const range = await linesOf(log, { from: 500, to: 600 })
  for (const size of [77, 711]) {
    const olderCheckpoint = checkpointOf(log, size)
    t.equal(await placesIn(range, { ...trusted, olderCheckpoint }), 'older checkpoint')
  }
  for (const size of [500, 600, 1_234]) {
    const olderCheckpoint = checkpointOf(log, size)
    t.equal(await placesIn(range, { ...trusted, olderCheckpoint }), '')
  }
})

test('a key other than the one expected, or another log, is told at each place', async (t) => {
  const places = await placesIn(lines, { verifierKeys: [signerOf(6).verifierKey] })
  t.match(places, /^checkpoint after leaf 99, .*, end$/)
  const foreign = { ...logOf(3), origin: 'elsewhere.example/trail' }
  const olderCheckpoint = checkpointOf(foreign, 3)
  t.equal(await placesIn(lines, { ...trusted, olderCheckpoint }), 'older checkpoint')
  t.equal(await placesIn(lines, { ...trusted, olderCheckpoint: 'words' }), 'older checkpoint')
})

test('without a key from outside the report says what that leaves open', async (t) => {
  const report = await verifyTrail(lines)
  t.equal(report.verified, true)
  t.equal(report.unchecked.length, 1)
})

test('every changed character of a leaf, a checkpoint or the end is noticed', async (t) => {
  const few = await linesOf(log, { from: 95, to: 105 })
  const changeable = few.slice(1)
  await fc.assert(
    fc.asyncProperty(
      fc.nat(changeable.length - 1),
      fc.nat(),
      fc.constantFrom('A', '0', '"', ' ', 'é', '\\'),
      async (index, pick, replacement) => {
        const line = changeable[index] ?? ''
        const at = pick % line.length
        if (line[at] === replacement) return true
        const changed = line.slice(0, at) + replacement + line.slice(at + 1)
        const report = await verifyTrail(few.with(index + 1, changed), trusted)
        return !report.verified
      },
    ),
    { numRuns: 1_000 },
  )
  t.pass('the property holds')
})

test('a header that says something else is noticed', async (t) => {
  const few = await linesOf(log, { from: 96, to: 105 })
  const header = JSON.parse(few[0] ?? '')
  for (const change of [
    { origin: 'elsewhere.example/trail' },
    { from: 95 },
    { from: 97 },
    { from: 200 },
    { to: 104 },
    { to: 106 },
    { to: 9_007_199_254_740_991 },
    { left: [] },
    { left: header.left.toReversed() },
    { left: header.left.with(0, 'A'.repeat(44)) },
    { left: header.left.with(0, '='.repeat(44)) },
    { format: 'gyeol-trail-2' },
  ]) {
    const changed = few.with(0, trailLine({ ...header, ...change }))
    t.not(await placesIn(changed), '', JSON.stringify(Object.keys(change)))
  }
})

test('whatever the lines are, the answer is a report', async (t) => {
  t.equal(await placesIn([...lines, lines[3] ?? '']), `line ${lines.length + 1}`)
  t.equal(await placesIn([...lines.slice(0, 2), ...lines.slice(0, 1), ...lines.slice(2)]), 'line 3')
  t.equal(await placesIn(lines.slice(1, 2)), 'line 1, end')
  const flood = await verifyTrail(Array.from({ length: 500 }, () => 'x'.repeat(2_000_000)))
  t.same([flood.problems.length, flood.problemCount], [100, 501])
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.string(), fc.json(), fc.constantFrom(...lines.slice(0, 5)))),
      async (any) => !(await verifyTrail(any, trusted)).verified,
    ),
  )
})
