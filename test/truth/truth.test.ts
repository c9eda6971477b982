import { test } from 'tap'
import { holdAgainstTruth } from './truth.ts'

// Several times the usual dirt, so that a small population has some of each kind.
const dirt = {
  changedWithNotice: 0.01,
  changedWithoutNotice: 0.01,
  naturalised: 0.005,
  numberOnTwoPersons: 0.01,
  duplicates: 0.02,
  missingBirthDates: 0.01,
  parentsNumbers: 0.05,
  missingNumbers: 0.01,
  placeholders: 0.005,
  typosInNumbers: 0.01,
  hubNumbers: 2,
}

test('whatever is wrong in a population, no link is, and what was planted is found', async (t) => {
  const held = await holdAgainstTruth({
    persons: 3_000,
    seed: 5,
    dir: t.testdir({}),
    dirt,
    tell: () => {},
  })
  t.same(held.broken, [])
  t.same(held.precision, { perfect: 1, match: 1 })
  for (const [kind, { planted }] of Object.entries(held.planted)) t.ok(planted > 5, kind)
  for (const { agency, wrong, wrongAtMost } of held.estimates) {
    t.equal(wrong, 0, agency)
    for (const atMost of Object.values(wrongAtMost))
      t.ok(atMost === null || atMost >= wrong, agency)
  }
  t.equal(held.report.hubsByKey['K1'], 2)
})
