/**
 * Which cells of a table of counts must not be shown. A cell is **small** when it counts somebody but fewer persons than the
 * threshold; nobody (0) is not small. A small cell is hidden, and with it as many others (**withheld**) as it takes that
 * nobody finds it again from the sums that are known: not exactly, and not by what being small or withheld says of a cell.
 *
 * Exactly: a hidden cell follows from known sums if and only if its unit vector is a combination of the sums over the hidden
 * cells (the rows of a matrix of 0 and 1), which Gauss and Jordan decide. For a table of two ways this is Gusfield's test
 * (SIAM J. Comput. 17, 1988); it holds for more ways and for overlapping sums as well.
 */

/** A table: quantities that add up alike, and the sums over its cells that a reader knows. */
export type CountTable = {
  /** Quantity → cell → count. A cell is small if one of its quantities is. */
  quantities: readonly (readonly number[])[]
  /** Each: the cells (by index) of one known sum. */
  sums: readonly (readonly number[])[]
  /** Cells hidden already, whatever they count. */
  hidden?: ReadonlySet<number>
}

/** True for a count of somebody, but of fewer than the threshold. */
export function isSmall(count: number, threshold: number): boolean {
  return count > 0 && count < threshold
}

/**
 * The cells to hide: all small ones, those hidden already, and those withheld for their sake.
 *
 * Where even hiding every cell would not do (a sum that is itself small), everything under that sum is hidden; not to
 * publish such a sum is the caller's part.
 */
export function hiddenCells(table: CountTable, threshold: number): Set<number> {
  const cells = table.quantities[0]?.length ?? 0
  const all = Array.from({ length: cells }, (_, cell) => cell)
  const small = new Set(
    all.filter((cell) => table.quantities.some((counts) => isSmall(counts[cell] ?? 0, threshold))),
  )
  const hidden = new Set([...small, ...(table.hidden ?? [])])
  for (;;) {
    const open = openSum(table, { hidden, threshold }) ?? sumOfDetermined(table, hidden, small)
    if (open === undefined) return hidden
    const next =
      smallestShown(table, hidden, { among: open, threshold }) ??
      smallestShown(table, hidden, { among: all, threshold })
    if (next === undefined) return hidden
    hidden.add(next)
  }
}

/** A sum whose hidden cells say too much of its small ones, and that has a cell left to withhold. */
function openSum(
  { quantities, sums }: CountTable,
  { hidden, threshold }: { hidden: ReadonlySet<number>; threshold: number },
): readonly number[] | undefined {
  return sums.find((sum) => {
    const inside = sum.filter((cell) => hidden.has(cell))
    if (inside.length === 0 || inside.length === sum.length) return false
    return quantities.some((counts) => {
      const of = inside.map((cell) => counts[cell] ?? 0)
      const few = of.filter((count) => isSmall(count, threshold)).length
      if (few === 0) return false
      const many = of.filter((count) => count >= threshold).length
      const total = of.reduce((a, b) => a + b, 0)
      // Each small cell could be 1, and could be threshold - 1 with the others at their least.
      return many === 0
        ? few === 1 || total < threshold
        : total < threshold * many + (threshold - 1) + (few - 1)
    })
  })
}

/** A known sum over a small cell that follows exactly from the known sums; undefined if none does. */
function sumOfDetermined(
  { sums }: CountTable,
  hidden: ReadonlySet<number>,
  small: ReadonlySet<number>,
): readonly number[] | undefined {
  const cell = determinedCells(sums, hidden).find((determined) => small.has(determined))
  if (cell === undefined) return undefined
  return (
    sums.find((sum) => sum.includes(cell) && sum.some((other) => !hidden.has(other))) ??
    sums.find((sum) => sum.includes(cell))
  )
}

function smallestShown(
  { quantities }: CountTable,
  hidden: ReadonlySet<number>,
  { among, threshold }: { among: readonly number[]; threshold: number },
): number | undefined {
  const countOf = (cell: number): number => Math.min(...quantities.map((of) => of[cell] ?? 0))
  const rankOf = (cell: number): number => {
    const count = countOf(cell)
    if (count === 0) return 2 * Number.MAX_SAFE_INTEGER
    // Twice the threshold leaves the small cell all its possible values.
    return count < 2 * threshold - 1 ? Number.MAX_SAFE_INTEGER - count : count
  }
  return among.filter((cell) => !hidden.has(cell)).sort((a, b) => rankOf(a) - rankOf(b) || a - b)[0]
}

/** The hidden cells whose counts follow exactly from the known sums and the cells that are shown. */
export function determinedCells(
  sums: readonly (readonly number[])[],
  hidden: ReadonlySet<number>,
): number[] {
  const columns = [...hidden].sort((a, b) => a - b)
  const place = new Map(columns.map((cell, column) => [cell, column]))
  const rows = sums
    .map((sum) => sum.flatMap((cell) => place.get(cell) ?? []))
    .filter((sum) => sum.length > 0)
    .map((sum) => {
      const row = new Float64Array(columns.length)
      for (const column of sum) row[column] = 1
      return row
    })
  const reduced = reducedRows(rows, columns.length)
  return reduced.flatMap((row) => {
    const filled = [...row.keys()].filter((column) => Math.abs(row[column] ?? 0) > tiny)
    return filled.length === 1 ? [columns[filled[0] ?? 0] ?? 0] : []
  })
}

const tiny = 1e-9

/** Reduced row echelon form; rows of zeros are left out. */
function reducedRows(rows: Float64Array[], width: number): Float64Array[] {
  let rank = 0
  for (let column = 0; column < width && rank < rows.length; column += 1) {
    const found = rows.findIndex((row, at) => at >= rank && Math.abs(row[column] ?? 0) > tiny)
    const pivot = rows[found]
    const first = rows[rank]
    if (!pivot || !first) continue
    rows[found] = first
    rows[rank] = pivot
    const lead = pivot[column] ?? 1
    for (let at = 0; at < width; at += 1) pivot[at] = (pivot[at] ?? 0) / lead
    for (const row of rows) {
      const factor = row[column] ?? 0
      if (row === pivot || Math.abs(factor) <= tiny) continue
      for (let at = column; at < width; at += 1) {
        row[at] = (row[at] ?? 0) - factor * (pivot[at] ?? 0)
      }
    }
    rank += 1
  }
  return rows.slice(0, rank)
}
