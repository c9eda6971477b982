import fc from 'fast-check'
import { test } from 'tap'
import { weeksOf } from '../../src/core/dates.ts'
import { classMeasures, singlesOut } from '../../src/core/disclosure.ts'
import { utilityReportOf } from '../../src/core/utility-report.ts'

test('the measures of a histogram are those of its classes', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (classes) => {
      const sizes = [...new Set(classes)].map((size) => ({
        size,
        records: size * classes.filter((other) => other === size).length,
      }))
      const records = classes.reduce((sum, size) => sum + size, 0)
      const measured = classMeasures(sizes, [5, 3, 5])
      t.equal(measured.records, records)
      t.equal(measured.classes, classes.length)
      t.equal(measured.averageRisk, classes.length / records)
      t.equal(measured.highestRisk, 1 / Math.min(...classes))
      t.same(
        measured.below.map(({ k }) => k),
        [3, 5],
      )
      const small = classes.filter((size) => size < 3)
      t.equal(measured.below[0]?.classes, small.length)
    }),
    { numRuns: 30 },
  )
  t.match(classMeasures([], [3]), { records: 0, classes: 0, smallest: 0, largest: 0 })
  t.throws(() => classMeasures([{ size: 0, records: 1 }], []), RangeError)
  t.throws(() => classMeasures([{ size: 1, records: 0.5 }], []), RangeError)
  t.end()
})

test('a difference of nobody or of many singles nobody out', (t) => {
  t.equal(singlesOut({ onlyEarlier: 0, onlyThis: 0 }, 5), false)
  t.equal(singlesOut({ onlyEarlier: 5, onlyThis: 0 }, 5), false)
  t.equal(singlesOut({ onlyEarlier: 0, onlyThis: 4 }, 5), true)
  t.equal(singlesOut({ onlyEarlier: 1, onlyThis: 100 }, 5), true)
  t.end()
})

test('a shift is a whole number of weeks from -26 to 26', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (macs) => {
      const weeks = weeksOf(macs)
      t.equal(weeks.length, 4)
      t.ok(weeks.every((week) => Number.isInteger(week) && Math.abs(week) <= 26))
    }),
    { numRuns: 20 },
  )
  const all = Array.from({ length: 53 }, (_, value) => {
    const mac = Buffer.alloc(16)
    mac.writeUIntBE(value, 0, 6)
    return weeksOf(mac)[0]
  })
  t.same(
    all,
    Array.from({ length: 53 }, (_, value) => value - 26),
  )
  t.throws(() => weeksOf(new Uint8Array(15)), RangeError)
  t.end()
})

test('what parts lost is added up, and means are weighted', (t) => {
  const part = (rows: number, mean: number) => ({
    table: 'a',
    result: {
      rows,
      outsideScope: 1,
      sensitive: 2,
      otherPersons: 3,
      escapedCells: 0,
      utility: {
        columns: {
          N: {
            cells: rows,
            changed: 1,
            emptied: 0,
            before: { values: rows, mean },
            after: { values: rows, mean: mean + 1 },
          },
        },
      },
    },
  })
  t.match(utilityReportOf([part(1000, 1), part(3000, 5)]), {
    tables: {
      a: {
        rows: { rows: 4000, outsideScope: 2, sensitive: 4, otherPersons: 6 },
        columns: {
          N: { cells: 4000, changed: 2, before: { mean: 4 }, after: { mean: 5 }, meanShift: 1 },
        },
      },
    },
  })
  t.end()
})
