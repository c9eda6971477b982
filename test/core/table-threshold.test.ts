import fc from 'fast-check'
import { test } from 'tap'
import { Refusal } from '../../src/core/errors.ts'
import { protectTable } from '../../src/core/table-threshold.ts'

test('hides counts below the threshold, zero too, and what would give them away', (t) => {
  const counts = [
    [100, 3, 40],
    [50, 60, 0],
    [70, 80, 90],
  ]
  const { hidden, primary, complementary } = protectTable(counts)
  t.equal(primary, 2)
  t.ok(hidden[0]?.[1] && hidden[1]?.[2])
  t.ok(complementary >= 2)
  for (const line of [...hidden, ...hidden.map((_, index) => hidden.map((row) => row[index]))]) {
    t.not(line.filter(Boolean).length, 1, 'no hidden cell alone between shown ones')
  }
  const open = [
    [10, 20],
    [30, 40],
  ]
  t.same(protectTable(open), {
    hidden: [
      [false, false],
      [false, false],
    ],
    primary: 0,
    complementary: 0,
  })
  t.end()
})

test('no hidden small count can be computed from margins and shown cells', (t) => {
  const tables = fc.integer({ min: 2, max: 5 }).chain((width) =>
    fc.array(fc.array(fc.nat({ max: 60 }), { minLength: width, maxLength: width }), {
      minLength: 2,
      maxLength: 5,
    }),
  )
  let protectedTables = 0
  fc.assert(
    fc.property(tables, (counts) => {
      let result: ReturnType<typeof protectTable>
      try {
        result = protectTable(counts)
      } catch (error) {
        if (error instanceof Refusal) return true
        throw error
      }
      protectedTables += 1
      const at = (row: number, column: number): number => counts[row]?.[column] ?? 0
      const isHidden = (row: number, column: number): boolean =>
        result.hidden[row]?.[column] ?? false
      // For every small cell there is another table with all that is shown, in which it is not small.
      return counts.every((line, row) =>
        line.every((count, column) => {
          if (count >= 10) return true
          return counts.some((_, r) =>
            line.some((_, c) => {
              if (r === row || c === column) return false
              const moved = 10 - count
              const mayMove = at(row, c) >= moved && at(r, column) >= moved
              return mayMove && isHidden(row, c) && isHidden(r, column) && isHidden(r, c)
            }),
          )
        }),
      )
    }),
  )
  t.ok(protectedTables > 10)
  t.end()
})

test('refuses small margins, and tables too small to protect', (t) => {
  const faults = [
    [
      [5, 2],
      [100, 100],
    ],
    [[100, 3]],
    [
      [4, 3, 3],
      [50, 50, 50],
    ],
  ]
  for (const counts of faults) {
    t.throws(() => protectTable(counts), { code: 'policy-refused' })
  }
  t.throws(() => protectTable([[1], [1, 2]]), RangeError)
  t.throws(() => protectTable([[-1]]), RangeError)
  t.throws(() => protectTable([]), RangeError)
  t.end()
})
