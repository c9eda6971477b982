/**
 * Which cells of a table of counts may be shown when its margins are. A count below the threshold is hidden, zero as well
 * (that nobody has it says something about everybody). Beside each hidden cell stands a rectangle of hidden cells along
 * which counts could be moved without a margin or a shown cell noticing, far enough for the cell to reach the threshold: so
 * nobody can compute from what is shown that it is below, however they combine rows and columns.
 */
import { Refusal } from './errors.ts'

const cellsMax = 10_000

export type Protected = {
  /** In the shape of the table: true where the count is not shown. */
  hidden: boolean[][]
  /** Cells below the threshold, and cells hidden for their sake. */
  primary: number
  complementary: number
}

type Cell = { row: number; column: number }

/**
 * Protects a two-way table.
 *
 * @param counts - persons by row and column, every row equally long, at most 10,000 cells.
 * @param threshold - fewest persons that a shown cell has.
 * @throws {Refusal} `policy-refused` when a margin itself is below the threshold, or a cell cannot be protected: merge rows
 * or columns.
 * @throws {RangeError} for a table that is none: a defect.
 */
export function protectTable(counts: readonly (readonly number[])[], threshold = 10): Protected {
  requireTable(counts)
  const rows = counts.map((row) => sumOf(row))
  const columns = (counts[0] ?? []).map((_, column) => sumOf(counts.map((row) => row[column] ?? 0)))
  const small = [...rows, ...columns].filter((margin) => margin < threshold).length
  if (small > 0) throw refused({ fault: 'rows or columns below the threshold', threshold, small })
  const hidden = counts.map((row) => row.map((count) => count < threshold))
  const primary = counts.flatMap((row, index) =>
    row.flatMap((count, column) => (count < threshold ? [{ row: index, column }] : [])),
  )
  for (const cell of primary) {
    const other = cheapestCorner(counts, hidden, { cell, threshold })
    if (!other) throw refused({ fault: 'a cell that cannot be protected', threshold })
    for (const row of [cell.row, other.row]) {
      for (const column of [cell.column, other.column]) hide(hidden, { row, column })
    }
  }
  const all = hidden.flat().filter((isHidden) => isHidden).length
  return { hidden, primary: primary.length, complementary: all - primary.length }
}

/** The opposite corner of the rectangle that protects a cell and costs the fewest persons shown until now. */
function cheapestCorner(
  counts: readonly (readonly number[])[],
  hidden: readonly (readonly boolean[])[],
  { cell, threshold }: { cell: Cell; threshold: number },
): Cell | undefined {
  const at = (row: number, column: number): number => counts[row]?.[column] ?? 0
  const need = threshold - at(cell.row, cell.column)
  let best: (Cell & { cost: number }) | undefined
  for (const [row, line] of counts.entries()) {
    if (row === cell.row || at(row, cell.column) < need) continue
    for (const column of line.keys()) {
      if (column === cell.column || at(cell.row, column) < need) continue
      const corners: Cell[] = [
        { row, column },
        { row, column: cell.column },
        { row: cell.row, column },
      ]
      const shown = corners.filter((corner) => !hidden[corner.row]?.[corner.column])
      const cost = sumOf(shown.map((corner) => at(corner.row, corner.column) + 1))
      if (best === undefined || cost < best.cost) best = { row, column, cost }
    }
  }
  return best
}

function hide(hidden: boolean[][], { row, column }: Cell): void {
  const line = hidden[row]
  if (line) line[column] = true
}

function requireTable(counts: readonly (readonly number[])[]): void {
  const width = counts[0]?.length ?? 0
  if (width === 0 || counts.length * width > cellsMax) throw new RangeError('no table of this size')
  if (counts.some((row) => row.length !== width)) throw new RangeError('rows differ in length')
  if (counts.flat().some((count) => !Number.isSafeInteger(count) || count < 0)) {
    throw new RangeError('a count that is none')
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

function refused(details: Record<string, string | number>): Refusal {
  return new Refusal(
    'policy-refused',
    'The table shows too few persons. Merge rows or columns and build it again.',
    details,
  )
}
