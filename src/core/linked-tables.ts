/**
 * Two tables of counts of other dimensions, held against each other by what they share (Fischetti and Salazar, "linked" and
 * "hierarchical tables", Management Science 47, 2001). Of any two everybody can subtract the totals; where they have a
 * dimension in common, its margins; and where a value of one is several of the other (a band of twenty years is two of ten),
 * the sums of those. A sum that is shown beside its parts must not tell what is hidden among them.
 */
import type { ShownCell } from './count-table.ts'
import { tellingPlaces } from './table-difference.ts'

const all = '(all)'
const other = '(other)'

/** Value → the value of the coarser table that it belongs to; `same`: itself. */
export type Coarser = ReadonlyMap<string, string> | 'same'

/** One side that two tables share: of each, what its values are in common. */
export type SharedSide = { earlier: Coarser; now: Coarser }

/** The sides that two tables share; of another side only the margin counts. */
export type Shared = { row?: SharedSide | undefined; column?: SharedSide | undefined }

/**
 * How the values of one column hang together under two rules: each of the finer is part of one of the coarser.
 *
 * @param pairs - which values stand together, at least once.
 * @returns undefined where neither is finer than the other.
 */
export function sharedSideOf(
  pairs: readonly { earlier: string; now: string }[],
): SharedSide | undefined {
  const up = new Map(pairs.map(({ earlier, now }) => [earlier, now]))
  if (pairs.every(({ earlier, now }) => up.get(earlier) === now))
    return { earlier: up, now: 'same' }
  const down = new Map(pairs.map(({ earlier, now }) => [now, earlier]))
  if (pairs.every(({ earlier, now }) => down.get(now) === earlier)) {
    return { earlier: 'same', now: down }
  }
  return undefined
}

/**
 * In how many places two tables together single out fewer persons than the threshold, or tell a hidden cell.
 *
 * @param earlier - turned so that the sides that are shared are the same.
 */
export function linkedPlaces(
  earlier: readonly ShownCell[],
  now: readonly ShownCell[],
  { shared, threshold }: { shared: Shared; threshold: number },
): number {
  const { row, column } = shared
  const before = collapsed(earlier, { row: row?.earlier, column: column?.earlier })
  const after = collapsed(now, { row: row?.now, column: column?.now })
  const places = tellingPlaces(before, after, threshold)
  if (!row || !column) return places
  const isNowCoarser = row.now === 'same' && column.now === 'same'
  const isEarlierCoarser = row.earlier === 'same' && column.earlier === 'same'
  if (isNowCoarser) {
    const sides = { row: row.earlier, column: column.earlier }
    return places + toldCells(earlier, now, { sides, threshold })
  }
  if (!isEarlierCoarser) return places
  return (
    places + toldCells(now, earlier, { sides: { row: row.now, column: column.now }, threshold })
  )
}

type Sides = { row: Coarser | undefined; column: Coarser | undefined }

/** A table by its coarser values: a sum is shown if all its parts are. Of a side that is not shared, the margin is left. */
function collapsed(cells: readonly ShownCell[], sides: Sides): ShownCell[] {
  const isWhole = {
    row: cells.every(({ row }) => coarserOf(row, sides.row) !== undefined),
    column: cells.every(({ column }) => coarserOf(column, sides.column) !== undefined),
  }
  const sums = new Map<string, ShownCell>()
  for (const cell of cells) {
    const row = coarserOf(cell.row, sides.row)
    const column = coarserOf(cell.column, sides.column)
    if (row === undefined || column === undefined) continue
    // A sum that lacks a part is none.
    const isSum = (side: 'row' | 'column', value: string): boolean =>
      sides[side] === 'same' || isWhole[side] || value === all
    if (!isSum('row', row) || !isSum('column', column)) continue
    const place = placeOf({ row, column })
    const sum = sums.get(place) ?? { row, column, count: 0 }
    const isShown = sum.count !== undefined && cell.count !== undefined
    sums.set(place, { ...sum, count: isShown ? (sum.count ?? 0) + (cell.count ?? 0) : undefined })
  }
  return [...sums.values()]
}

type Place = Pick<ShownCell, 'row' | 'column'>

function placeOf({ row, column }: Place): string {
  return JSON.stringify([row, column])
}

function coarserOf(value: string, coarser: Coarser | undefined): string | undefined {
  if (value === all) return all
  if (value === other) return undefined
  return coarser === 'same' ? value : coarser?.get(value)
}

/**
 * Sums that leave fewer persons than the threshold to the hidden cells among their parts, and hidden cells that cannot be
 * moved any more: each needs three others with which it makes a rectangle, so that what is added to two of them and taken
 * from two is noticed by no margin and by no sum that the coarser table shows.
 */
function toldCells(
  fine: readonly ShownCell[],
  coarse: readonly ShownCell[],
  { sides, threshold }: { sides: Sides; threshold: number },
): number {
  const shown = new Map(
    coarse.flatMap((cell) => (cell.count === undefined ? [] : [[placeOf(cell), cell.count]])),
  )
  const inner = fine.filter(({ row, column }) => row !== all && column !== all)
  /** The shown sum that a cell is part of. */
  const sumOf = (cell: Place): string | undefined => {
    const row = coarserOf(cell.row, sides.row)
    const column = coarserOf(cell.column, sides.column)
    if (row === undefined || column === undefined) return undefined
    const place = placeOf({ row, column })
    return shown.has(place) ? place : undefined
  }
  const hidden = inner.filter(({ count }) => count === undefined)
  const left = new Map(shown)
  for (const cell of inner) {
    const sum = sumOf(cell)
    if (sum !== undefined) left.set(sum, (left.get(sum) ?? 0) - (cell.count ?? 0))
  }
  const withHidden = new Set(hidden.flatMap((cell) => sumOf(cell) ?? []))
  const few = [...withHidden].filter((sum) => Math.abs(left.get(sum) ?? 0) < threshold).length
  const sums = hiddenSums(hidden, sumOf)
  return few + hidden.filter((cell) => !canBeMoved(cell, sums)).length
}

/** Row → column → number of the shown sum that a hidden cell is part of; -1: of none. */
type HiddenSums = ReadonlyMap<string, ReadonlyMap<string, number>>

function hiddenSums(
  hidden: readonly Place[],
  sumOf: (cell: Place) => string | undefined,
): HiddenSums {
  const numbers = new Map<string, number>()
  const sums = new Map<string, Map<string, number>>()
  for (const cell of hidden) {
    const sum = sumOf(cell)
    if (sum !== undefined && !numbers.has(sum)) numbers.set(sum, numbers.size)
    const line = sums.get(cell.row) ?? new Map<string, number>()
    line.set(cell.column, sum === undefined ? -1 : (numbers.get(sum) ?? -1))
    sums.set(cell.row, line)
  }
  return sums
}

/**
 * Looks at every pair of a row and a column in which cells are hidden: of a large table that is many times, so in numbers.
 */
function canBeMoved(cell: Place, sums: HiddenSums): boolean {
  const line = sums.get(cell.row) ?? new Map<string, number>()
  const own = line.get(cell.column)
  for (const [row, other] of sums) {
    const below = other.get(cell.column)
    if (row === cell.row || below === undefined) continue
    for (const [column, across] of other) {
      const beside = line.get(column)
      if (column === cell.column || beside === undefined) continue
      if (own === beside ? across === below : own === below && across === beside) return true
    }
  }
  return false
}
