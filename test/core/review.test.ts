import fc from 'fast-check'
import { test } from 'tap'
import {
  requireFindings,
  requireNoOwnAct,
  requireReviewersOfGrade,
  reviewersNeeded,
  riskGrades,
  type Vote,
} from '../../src/core/review.ts'

const manifest = Buffer.alloc(32, 1)
const kinds = ['relevance', 'recognisability', 'safety'] as const
const vote = (kind: Vote['kind'], reviewerId: string, more: Partial<Vote> = {}): Vote => ({
  kind,
  reviewerId,
  verdict: 'pass',
  manifestSha256: manifest,
  ...more,
})

test('the grade says how many reviewers, a project may ask for more', (t) => {
  const needed = riskGrades.map((riskGrade) => reviewersNeeded({ riskGrade, reviewersMin: null }))
  t.same(needed, [1, 2, 3])
  t.equal(reviewersNeeded({ riskGrade: 'high-risk', reviewersMin: 7 }), 7)
  const few = { riskGrade: 'high-risk', reviewersMin: 2 } as const
  t.throws(() => requireReviewersOfGrade(few), { code: 'input-malformed' })
  t.end()
})

test('findings suffice exactly when each question passes, none fails, and enough people gave them', (t) => {
  const votes = fc.array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      reviewerId: fc.constantFrom('a', 'b', 'c', 'd'),
      verdict: fc.constantFrom('pass' as const, 'pass' as const, 'pass' as const, 'fail' as const),
      manifestSha256: fc.constantFrom(manifest, manifest, manifest, Buffer.alloc(32, 2)),
    }),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(votes, fc.integer({ min: 1, max: 4 }), (given, needed) => {
      const about = given.filter((each) => each.manifestSha256 === manifest)
      const suffices =
        kinds.every((kind) => about.some((each) => each.kind === kind)) &&
        about.every(({ verdict }) => verdict === 'pass') &&
        new Set(about.map(({ reviewerId }) => reviewerId)).size >= needed
      let passed = true
      try {
        requireFindings(given, manifest, needed)
      } catch {
        passed = false
      }
      return passed === suffices
    }),
    { numRuns: 1_000 },
  )
  t.throws(
    () =>
      requireFindings(
        kinds.map((kind) => vote(kind, 'a')),
        manifest,
        2,
      ),
    {
      code: 'finding-missing',
      details: { questionsMissing: 0, reviewersMissing: 1 },
    },
  )
  t.end()
})

test('nobody judges what is their own', (t) => {
  const [release, project] = [{ createdBy: 'a', recipientId: 'b' }, { createdBy: 'c' }]
  for (const id of ['a', 'b', 'c']) {
    t.throws(() => requireNoOwnAct(id, release, project), { code: 'own-act' })
  }
  t.doesNotThrow(() => requireNoOwnAct('d', release, project))
  t.end()
})
