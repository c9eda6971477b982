import fc from 'fast-check'
import { test } from 'tap'
import type { ClassMeasures } from '../../src/core/disclosure.ts'
import { toldDisclosureOf, toldUtilityOf } from '../../src/core/told-disclosure.ts'
import type { UtilityReport } from '../../src/core/utility-report.ts'

const threshold = 10
const id = '0f7c1c9e-3f5e-4f0e-9d3a-5b8f2d1c7a10'
const classes: ClassMeasures = {
  records: 100,
  classes: 20,
  uniques: 3,
  smallest: 1,
  largest: 9,
  highestRisk: 1,
  averageRisk: 0.2,
  below: [{ k: 5, records: 7, share: 0.07, classes: 3 }],
}

function lost(rows: Record<string, number>, columns: UtilityReport['tables'][string]['columns']) {
  const report = { report: 'gyeol-utility-1', means: '', tables: { t: { rows, columns } } } as const
  return toldUtilityOf(report, threshold)['t']
}

test('sizes of classes are told as they are, differences from other releases not when small', (t) => {
  const measured = { before: classes, underRules: classes, after: classes, suppressed: undefined }
  const sensitive = { column: 'visits.code', distinctL: 1, entropyL: 1, t: 0.5 }
  const one = { table: 'visits', before: sensitive, after: sensitive }
  const told = toldDisclosureOf(
    { ...measured, sensitive: [one], sets: [] },
    [{ release: id, onlyEarlier: 0, onlyThis: 9 }],
    threshold,
  )
  t.match(told.measured?.after, { uniques: 3, below: [{ k: 5, records: 7 }] })
  t.match(told.measured?.sensitive, [{ table: 'visits', column: 'code', after: { t: 0.5 } }])
  t.same(told.differences, [{ release: id, onlyEarlier: 0, onlyThis: null }])
  t.equal(toldDisclosureOf(undefined, [], threshold).measured, null)
  t.end()
})

test('a small number of changed cells is hidden, and a small number of unchanged ones as well', (t) => {
  const cells = { cells: 1_000, changed: 995, emptied: 4 }
  const told = lost({ rows: 1_000 }, { a: cells, b: { cells: 9, changed: 0, emptied: 0 } })
  t.match(told?.columns['a'], { cells: 1_000, changed: null, emptied: null })
  t.match(told?.columns['b'], { cells: null })
  const mean = { values: 1_000, mean: 1.5 }
  const kept = lost({}, { c: { cells: 50, changed: 20, emptied: 0, before: mean, after: mean } })
  t.match(kept?.columns['c'], { changed: 20, emptied: 0, meanBefore: 1.5, meanAfter: 1.5 })
  t.end()
})

test('of the rows that were left out no small number is told, nor what would give it away', (t) => {
  const amount = fc.integer({ min: 0, max: 30 })
  fc.assert(
    fc.property(amount, amount, amount, (outsideScope, sensitive, otherPersons) => {
      const counts = { outsideScope, sensitive, otherPersons }
      const told = lost({ rows: 500, ...counts }, {})?.rows
      if (!told) return false
      const hidden = Object.entries(counts).filter(
        ([reason]) => told[reason as keyof typeof counts] === null,
      )
      const small = Object.values(counts).filter((count) => count > 0 && count < threshold)
      const isTold = hidden.length === 1 // The one that is hidden follows from their sum.
      return small.length <= hidden.length && !isTold
    }),
  )
  t.same(lost({ rows: 7, outsideScope: 0, sensitive: 4, otherPersons: 700 }, {})?.rows, {
    rows: 7,
    outsideScope: 0,
    sensitive: null,
    otherPersons: null,
  })
  t.end()
})
