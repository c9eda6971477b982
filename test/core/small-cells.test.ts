import fc from 'fast-check'
import { test } from 'tap'
import { determinedCells } from '../../src/core/determined-cells.ts'
import { hiddenCells, isSmall } from '../../src/core/small-cells.ts'

const threshold = 10
const countArbitrary = fc.oneof(fc.nat(12), fc.nat(200), fc.constant(0))

test('nobody is not a small cell, and the threshold itself is none', (t) => {
  t.same(
    [0, 1, 9, 10, 11].map((count) => isSmall(count, threshold)),
    [false, true, true, false, false],
  )
  t.end()
})

test('hides a small cell and one more, so that the total does not give it away', (t) => {
  const table = { quantities: [[100, 4, 30, 25]], sums: [[0, 1, 2, 3]] }
  t.same([...hiddenCells(table, threshold)].sort(), [1, 3])
  t.end()
})

test('hides nothing where nothing is small', (t) => {
  t.same(hiddenCells({ quantities: [[10, 0, 300]], sums: [[0, 1, 2]] }, threshold), new Set())
  t.end()
})

test('finds a cell that only a bridge between two cycles would hide', (t) => {
  // 4 × 4, hidden: two squares of cells and one cell between them; rows and columns all have two or more.
  const hidden = new Set([0, 1, 4, 5, 10, 11, 14, 15, 6])
  const lines = [0, 1, 2, 3].flatMap((line) => [
    [0, 1, 2, 3].map((at) => 4 * line + at),
    [0, 1, 2, 3].map((at) => 4 * at + line),
  ])
  t.same(determinedCells(lines, hidden), [6])
  t.end()
})

test('of a table of two ways with its sums known, no small cell is found again', (t) => {
  const arbitrary = fc
    .tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 6 }))
    .chain(([rows, columns]) =>
      fc.tuple(
        fc.constant(rows),
        fc.constant(columns),
        fc.array(countArbitrary, { minLength: rows * columns, maxLength: rows * columns }),
      ),
    )
  fc.assert(
    fc.property(arbitrary, ([rows, columns, counts]) => {
      const all = counts.map((_, cell) => cell)
      const lines = [
        ...Array.from({ length: rows }, (_, row) =>
          all.filter((cell) => Math.floor(cell / columns) === row),
        ),
        ...Array.from({ length: columns }, (_, column) =>
          all.filter((cell) => cell % columns === column),
        ),
      ]
      const sums = lines.filter((line) => !isSmall(sumOf(line, counts), threshold))
      const hidden = hiddenCells({ quantities: [counts], sums }, threshold)
      for (const [cell, count] of counts.entries()) {
        if (isSmall(count, threshold) && !hidden.has(cell)) return false
      }
      // Independently: a second solution of the known sums that differs in the cell, by a cycle of hidden cells.
      return counts.every(
        (count, cell) =>
          !isSmall(count, threshold) ||
          isOnCycle(cell, { hidden, lines, known: new Set(sums), columns, rows }),
      )
    }),
    { numRuns: 300 },
  )
  t.end()
})

function sumOf(cells: readonly number[], counts: readonly number[]): number {
  return cells.reduce((sum, cell) => sum + (counts[cell] ?? 0), 0)
}

/**
 * Whether the cell's edge (row to column) is on a cycle of the graph of hidden cells, where a row or column whose sum is
 * unknown leads anywhere. Found by a search for another way from its row to its column.
 */
function isOnCycle(
  cell: number,
  table: {
    hidden: ReadonlySet<number>
    lines: number[][]
    known: ReadonlySet<number[]>
    rows: number
    columns: number
  },
): boolean {
  const { hidden, lines, known, rows, columns } = table
  const ground = lines.length // All lines with an unknown sum.
  const nodeOf = (line: number): number => {
    const cells = lines[line]
    return cells && known.has(cells) ? line : ground
  }
  const ends = (of: number): [number, number] => [
    nodeOf(Math.floor(of / columns)),
    nodeOf(rows + (of % columns)),
  ]
  const [from, to] = ends(cell)
  const seen = new Set([from])
  const queue = [from]
  for (const node of queue) {
    for (const other of hidden) {
      if (other === cell) continue
      const [a, b] = ends(other)
      const next = a === node ? b : b === node ? a : undefined
      if (next === undefined || seen.has(next)) continue
      seen.add(next)
      queue.push(next)
    }
  }
  return seen.has(to)
}
