import fc from 'fast-check'
import { test } from 'tap'
import type { Checkpoint } from '../../src/core/checkpoint.ts'
import { Refusal } from '../../src/core/errors.ts'
import type { KeptLeaf } from '../../src/core/export-trail.ts'
import { rootOf } from '../../src/core/merkle.ts'
import { ProofMaker } from '../../src/core/merkle-proof.ts'
import { type ProofOf, requireContinuation } from '../../src/core/witness.ts'
import { leafOf, logOf } from './trail-fixture.ts'

const { leaves, origin } = logOf(200)

/** The head of these leaves, and the proofs that whoever holds them can make. */
function historyOf(kept: readonly KeptLeaf[]): {
  at: (size: number) => Checkpoint
  proofs: ProofOf
} {
  const hashes = kept.map(({ leafHash }) => leafHash)
  const maker = new ProofMaker((start, end) => hashes.slice(start, end))
  return {
    at: (size) => ({ origin, size, root: rootOf(hashes.slice(0, size)) }),
    proofs: (size1, size2) => maker.consistencyProof(size1, size2),
  }
}

const honest = historyOf(leaves)

/** How a witness that has seen these heads takes the one shown: undefined if it would cosign. */
async function refusalOf(
  seen: readonly Checkpoint[],
  shown: Checkpoint,
  proofs: ProofOf,
): Promise<Refusal | undefined> {
  try {
    await requireContinuation(seen, shown, proofs)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  return undefined
}

const sizes = fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 2, maxLength: 6 })

test('a log that only grows never loses its witness', async (t) => {
  await fc.assert(
    fc.asyncProperty(sizes, async (found) => {
      const [shown = 0, ...seen] = found.toSorted((a, b) => b - a)
      const heads = seen.toReversed().map(honest.at)
      const none = await refusalOf(heads, honest.at(shown), honest.proofs)
      return (
        none === undefined && !(await refusalOf(heads, heads.at(-1) ?? honest.at(0), honest.proofs))
      )
    }),
    { numRuns: 50 },
  )
  t.equal(
    await refusalOf([], honest.at(9), honest.proofs),
    undefined,
    'the first is taken as it is',
  )
})

test('a leaf that a witness saw cannot be changed, and it says between which heads it was', async (t) => {
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(), async (found, pick) => {
      const [shown = 0, ...older] = found.toSorted((a, b) => b - a)
      const seen = older.toReversed()
      const last = seen.at(-1) ?? 0
      const changed = pick % last
      const kept = leaves.map((leaf) =>
        leaf.number === changed ? leafOf(changed, 'another deed') : leaf,
      )
      const forged = historyOf(kept)
      const refusal = await refusalOf(seen.map(honest.at), forged.at(shown), forged.proofs)
      const shared = seen.findLast((size) => size <= changed) ?? 0
      return (
        refusal?.code === 'history-differs' &&
        refusal.details['firstLeaf'] === shared &&
        refusal.details['lastLeaf'] === last - 1
      )
    }),
    { numRuns: 50 },
  )
  t.pass('the property holds')
})

test('a log that was cut, or shows another root of the same size, or proves nothing, is refused', async (t) => {
  const seen = [honest.at(50), honest.at(100)]
  const cut = await refusalOf(seen, honest.at(80), honest.proofs)
  t.match(cut, { code: 'history-differs', details: { firstLeaf: 50, sizeShown: 80 } })
  t.match(cut?.message, /SHORTER/)
  const other = { ...honest.at(100), root: honest.at(99).root }
  t.match(await refusalOf(seen, other, honest.proofs), { code: 'history-differs' })
  const nothing: ProofOf = async () => []
  t.match(await refusalOf(seen, honest.at(150), nothing), { code: 'history-differs' })
  let asked = 0
  const silent: ProofOf = async () => {
    asked += 1
    if (asked > 1) throw new Error('no answer')
    return []
  }
  const caught = await refusalOf(seen, honest.at(150), silent)
  t.match(caught, { code: 'history-differs', details: { firstLeaf: 0 } })
  const elsewhere = { ...honest.at(150), origin: 'other.example/trail' }
  t.match(await refusalOf(seen, elsewhere, honest.proofs), { code: 'input-malformed' })
})
