/**
 * Which hidden counts follow exactly from known sums. A hidden cell does if and only if its unit vector is a combination of
 * the sums over the hidden cells (the rows of a matrix of 0 and 1), which Gauss and Jordan decide. For a table of two ways
 * this is Gusfield's test (SIAM J. Comput. 17, 1988); it holds for more ways and for overlapping sums as well.
 */

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
