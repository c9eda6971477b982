/**
 * Two tables of the same dimensions, one after the other: what is shown in both is subtracted by everybody. Where that
 * leaves some persons, but fewer than the threshold, they are singled out, whatever each table hides for itself.
 */
import type { ShownCell } from './count-table.ts'

const all = '(all)'
const other = '(other)'

/**
 * In how many places two tables single out fewer persons than the threshold, and not nobody: a cell or margin that both
 * show, or what is left of a row or column when all that both show of it is taken away.
 *
 * What was put together as "(other)" may be of other values in each, so it counts as not shown.
 */
export function tellingPlaces(
  earlier: readonly ShownCell[],
  now: readonly ShownCell[],
  threshold: number,
): number {
  const isTelling = (difference: number): boolean =>
    difference !== 0 && Math.abs(difference) < threshold
  const before = byPlace(earlier)
  const after = byPlace(now)
  const differences = [...after].flatMap(([place, cell]) => {
    const count = before.get(place)?.count
    if (cell.count === undefined || count === undefined) return []
    return [{ ...cell, difference: cell.count - count }]
  })
  const cells = differences.filter(({ difference }) => isTelling(difference)).length
  const rests = (['row', 'column'] as const).flatMap((side) => {
    const across = side === 'row' ? 'column' : 'row'
    const margins = differences.filter((cell) => cell[across] === all)
    return margins.filter((margin) => {
      const shown = differences.filter(
        (cell) => cell[side] === margin[side] && cell[across] !== all,
      )
      const rest = shown.reduce((left, cell) => left - cell.difference, margin.difference)
      return isTelling(rest)
    })
  })
  return cells + rests.length
}

function byPlace(cells: readonly ShownCell[]): Map<string, ShownCell> {
  const comparable = cells.filter(({ row, column }) => row !== other && column !== other)
  return new Map(comparable.map((cell) => [placeOf(cell), cell]))
}

function placeOf({ row, column }: { row: string; column: string }): string {
  return JSON.stringify([row, column])
}
