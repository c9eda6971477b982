import fc from 'fast-check'
import { test } from 'tap'
import { Refusal } from '../../src/core/errors.ts'
import { protectTable } from '../../src/core/small-cells.ts'

const by = { threshold: 10, draw: () => 0 }

test('hides counts below the threshold, zero too, and what would give them away', (t) => {
  const counts = [
    [100, 3, 40],
    [50, 60, 0],
    [70, 80, 90],
  ]
  const { hidden, primary, complementary } = protectTable({ counts }, by)
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
  t.same(protectTable({ counts: open }, by), {
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
        result = protectTable({ counts }, by)
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

/** Every table of whole numbers that agrees with all that is shown: shown cells and margins. */
function* worldsOf(counts: readonly number[][], hidden: readonly boolean[][]): Generator<number[]> {
  const width = counts[0]?.length ?? 0
  const cells = counts.flat()
  const isHidden = hidden.flat()
  const rowLeft = counts.map((row) => sum(row))
  const columnLeft = Array.from({ length: width }, (_, at) =>
    sum(counts.map((row) => row[at] ?? 0)),
  )
  const world: number[] = []
  function* from(at: number): Generator<number[]> {
    if (at === cells.length) {
      if ([...rowLeft, ...columnLeft].every((left) => left === 0)) yield [...world]
      return
    }
    const [row, column] = [Math.floor(at / width), at % width]
    const most = Math.min(rowLeft[row] ?? 0, columnLeft[column] ?? 0)
    const known = cells[at] ?? 0
    // The last of a row is what is left of it.
    const least = column === width - 1 ? (rowLeft[row] ?? 0) : 0
    const values = isHidden[at]
      ? Array.from({ length: Math.max(0, most - least + 1) }, (_, more) => least + more)
      : [known]
    for (const value of values) {
      if (value > most) continue
      rowLeft[row] = (rowLeft[row] ?? 0) - value
      columnLeft[column] = (columnLeft[column] ?? 0) - value
      world.push(value)
      yield* from(at + 1)
      world.pop()
      rowLeft[row] = (rowLeft[row] ?? 0) + value
      columnLeft[column] = (columnLeft[column] ?? 0) + value
    }
  }
  yield* from(0)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}

test('whoever tries every table learns no hidden value, and of no small cell that it is small', (t) => {
  const threshold = 3
  const tables = fc.tuple(fc.constantFrom(2, 3), fc.constantFrom(2, 3)).chain(([rows, columns]) => {
    const line = fc.array(fc.nat({ max: 6 }), { minLength: columns, maxLength: columns })
    return fc.array(line, { minLength: rows, maxLength: rows })
  })
  let attacked = 0
  fc.assert(
    fc.property(tables, fc.boolean(), fc.double({ min: 0, max: 0.99, noNaN: true }), (...given) => {
      const [counts, byRows, drawn] = given
      const isHiddenBefore = counts.map((line, row) =>
        line.map((_, at) => drawn > 0.6 && row === at),
      )
      // Where rows are counted, there are fewer persons behind them.
      const persons = byRows
        ? counts.map((row) => row.map((count) => Math.ceil(count / 2)))
        : counts
      let hidden: boolean[][]
      try {
        const how = { threshold, draw: () => drawn, hidden: isHiddenBefore }
        hidden = protectTable(byRows ? { counts, persons } : { counts }, how).hidden
      } catch (error) {
        if (error instanceof Refusal) return true
        throw error
      }
      if (!hidden.flat().includes(true)) return true
      if (isHiddenBefore.flat().some((isIt, at) => isIt && !hidden.flat()[at])) return false
      attacked += 1
      const found = counts.flat().map(() => new Set<number>())
      for (const world of worldsOf(counts, hidden)) {
        for (const [at, value] of world.entries()) found[at]?.add(value)
      }
      return found.every((values, at) => {
        const isHidden = hidden.flat()[at]
        if (!isHidden) return values.size === 1
        const isSmall = (persons.flat()[at] ?? 0) < threshold
        return values.size > 1 && (!isSmall || Math.max(...values) >= threshold)
      })
    }),
    { numRuns: 400 },
  )
  t.ok(attacked > 20, `${attacked} tables with hidden cells`)
  t.end()
})

test('whoever knows the rule but not the draw is sure of few cells that a fixed choice would give away', (t) => {
  const threshold = 3
  let state = 7
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const patternOf = (counts: number[][], draw: () => number): string | undefined => {
    try {
      return JSON.stringify(protectTable({ counts }, { threshold, draw }).hidden)
    } catch (error) {
      if (error instanceof Refusal) return undefined
      throw error
    }
  }
  /** Of so many tables, how many small cells are small in every table that could have been hidden so. */
  const given = (draw: () => number, tries: number): { small: number; known: number } => {
    const tally = { small: 0, known: 0 }
    for (let tables = 0; tables < 25; ) {
      const counts = [0, 1, 2].map(() => [0, 1, 2].map(() => Math.floor(next() * 7)))
      const pattern = patternOf(counts, draw)
      if (!pattern?.includes('true')) continue
      tables += 1
      const most = counts.flat().map(() => 0)
      for (const world of worldsOf(counts, JSON.parse(pattern))) {
        const rows = [0, 3, 6].map((at) => world.slice(at, at + 3))
        const isPossible = Array.from({ length: tries }, () => patternOf(rows, draw))
        if (!isPossible.includes(pattern)) continue
        for (const [at, value] of world.entries()) most[at] = Math.max(most[at] ?? 0, value)
      }
      for (const [at, count] of counts.flat().entries()) {
        if (count >= threshold) continue
        tally.small += 1
        if ((most[at] ?? 0) < threshold) tally.known += 1
      }
    }
    return tally
  }
  const [fixed, drawn] = [given(() => 0, 1), given(next, 25)]
  t.comment(
    `a fixed choice gives ${fixed.known} of ${fixed.small} away, a drawn one ${drawn.known} of ${drawn.small}`,
  )
  t.ok(drawn.known / drawn.small < 0.06)
  t.ok(drawn.known / drawn.small < fixed.known / fixed.small / 2)
  t.end()
})

test('where rows are counted, a cell is small by its persons', (t) => {
  const counts = [
    [500, 40, 60],
    [70, 80, 90],
    [50, 60, 70],
  ]
  const persons = [
    [1, 40, 60],
    [70, 80, 90],
    [50, 60, 70],
  ]
  t.equal(protectTable({ counts }, by).primary, 0)
  const { hidden, primary, complementary } = protectTable({ counts, persons }, by)
  t.same([primary, complementary, hidden[0]?.[0]], [1, 3, true])
  const few = persons.map((row) => row.map(() => 9))
  t.throws(() => protectTable({ counts, persons: few }, by), { code: 'policy-refused' })
  t.throws(() => protectTable({ counts, persons: [] }, by), RangeError)
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
    t.throws(() => protectTable({ counts }, by), { code: 'policy-refused' })
  }
  t.throws(() => protectTable({ counts: [[1], [1, 2]] }, by), RangeError)
  t.throws(() => protectTable({ counts: [[-1]] }, by), RangeError)
  t.throws(() => protectTable({ counts: [] }, by), RangeError)
  t.end()
})
