/** Hides what is small in tables of link rates, and what would give it away. See small-cells.ts. */
import type { Mask, RateCell, RateTable } from './quality-counts.ts'
import { wilsonInterval } from './quality-numbers.ts'
import type { RawRate, RawTable } from './quality-raw.ts'
import { hiddenCells, isSmall } from './small-cells.ts'

/**
 * The tables of one agency and basis: the whole, then each dimension, then pairs of dimensions, all of the same records. A
 * sum that is hidden in a smaller table hides all that is under it in a larger one; a sum that is shown counts as known.
 *
 * How many of the spine's persons an agency knows is told by their sex as well, and is nearly how many of its records are
 * linked. So of an agency's records a stratum is hidden whole, or what was delivered would tell what was not linked; and
 * where hardly any record is linked, or unlinked, there are no strata.
 */
export function maskRateTables(tables: readonly RawTable[], threshold: number): RateTable[] {
  const [whole, ...rest] = [...tables].sort((a, b) => a.by.length - b.by.length)
  if (!whole) return []
  const first = maskedOneByOne([whole], threshold)
  const isAllTold = whole.basis === 'spine' || first[0]?.cells[0]?.mask === 'none'
  return isAllTold ? maskedOneByOne([whole, ...rest], threshold) : first
}

function maskedOneByOne(tables: readonly RawTable[], threshold: number): RateTable[] {
  const masked: { table: RawTable; hidden: Hidden }[] = []
  for (const table of tables) {
    const sums = sumsOf(table, masked)
    const isWhole = table.basis === 'spine' || table.by.length === 0
    const hide = isWhole ? hiddenIn : hiddenWhole
    masked.push({ table, hidden: hide(table, sums, threshold) })
  }
  return masked.map(({ table, hidden }) => ({
    ...table,
    cells: table.cells.map((cell, at) => {
      const isDeliveredHidden = hidden.delivered.has(at)
      const isLinkedHidden = hidden.linked.has(at)
      return shownCell(cell, { isDeliveredHidden, isLinkedHidden, threshold })
    }),
  }))
}

/** The cells (by index) of a table whose delivered, and whose linked and unlinked, are hidden. */
export type Hidden = { delivered: ReadonlySet<number>; linked: ReadonlySet<number> }

/** Cells under one sum, and what of the sum itself is hidden. */
export type Sum = { cells: number[]; isDeliveredHidden: boolean; isLinkedHidden: boolean }

/** Hides cells of a table, given its sums. */
export function hiddenIn(
  { cells }: { cells: readonly Pick<RawRate, 'delivered' | 'linked'>[] },
  sums: readonly Sum[],
  threshold: number,
): Hidden {
  const delivered = hiddenCells(
    {
      quantities: [cells.map((cell) => cell.delivered)],
      sums: sums.filter((sum) => !sum.isDeliveredHidden).map((sum) => sum.cells),
      hidden: new Set(sums.flatMap((sum) => (sum.isDeliveredHidden ? sum.cells : []))),
    },
    threshold,
  )
  const under = sums.flatMap((sum) => (sum.isLinkedHidden ? sum.cells : []))
  const linked = hiddenCells(
    {
      quantities: [
        cells.map((cell) => cell.linked),
        cells.map((cell) => cell.delivered - cell.linked),
      ],
      sums: sums.filter((sum) => !sum.isLinkedHidden).map((sum) => sum.cells),
      hidden: new Set([...delivered, ...under]),
    },
    threshold,
  )
  return { delivered, linked }
}

/** Hides cells of a table whole, if anything of them is to be hidden. */
function hiddenWhole({ cells }: RawTable, sums: readonly Sum[], threshold: number): Hidden {
  const isHidden = (sum: Sum): boolean => sum.isDeliveredHidden || sum.isLinkedHidden
  const hidden = hiddenCells(
    {
      quantities: [
        cells.map((cell) => cell.delivered),
        cells.map((cell) => cell.linked),
        cells.map((cell) => cell.delivered - cell.linked),
      ],
      sums: sums.filter((sum) => !isHidden(sum)).map((sum) => sum.cells),
      hidden: new Set(sums.flatMap((sum) => (isHidden(sum) ? sum.cells : []))),
    },
    threshold,
  )
  return { delivered: hidden, linked: hidden }
}

/** Each cell of the smaller tables is a sum over this one, if its dimensions are among this one's. */
function sumsOf(table: RawTable, smaller: readonly { table: RawTable; hidden: Hidden }[]): Sum[] {
  return smaller
    .filter((other) => other.table.by.length < table.by.length)
    .filter((other) => other.table.by.every((dimension) => table.by.includes(dimension)))
    .flatMap((other) => {
      const places = other.table.by.map((dimension) => table.by.indexOf(dimension))
      const under = new Map<string, number[]>()
      for (const [at, cell] of table.cells.entries()) {
        const name = JSON.stringify(places.map((place) => cell.levels[place]))
        under.set(name, [...(under.get(name) ?? []), at])
      }
      return other.table.cells.map((sum, at) => ({
        cells: under.get(JSON.stringify(sum.levels)) ?? [],
        isDeliveredHidden: other.hidden.delivered.has(at),
        isLinkedHidden: other.hidden.linked.has(at),
      }))
    })
}

function shownCell(
  cell: RawRate,
  about: { isDeliveredHidden: boolean; isLinkedHidden: boolean; threshold: number },
): RateCell {
  const { levels, delivered, linked } = cell
  const mask = maskOf(cell, about)
  if (about.isDeliveredHidden) {
    return { levels, delivered: null, linked: null, mask, rate: null, low: null, high: null }
  }
  if (about.isLinkedHidden) {
    return { levels, delivered, linked: null, mask, rate: null, low: null, high: null }
  }
  const rate = delivered === 0 ? null : linked / delivered
  return { levels, delivered, linked, mask, rate, ...wilsonInterval(linked, delivered) }
}

/** Why a cell is not shown whole. */
export function maskOf(
  { delivered, linked }: Pick<RawRate, 'delivered' | 'linked'>,
  about: { isDeliveredHidden: boolean; isLinkedHidden: boolean; threshold: number },
): Mask {
  const { threshold } = about
  if (isSmall(delivered, threshold)) return 'few'
  if (!about.isDeliveredHidden && !about.isLinkedHidden) return 'none'
  if (isSmall(delivered - linked, threshold)) return 'few-unlinked'
  if (isSmall(linked, threshold)) return 'few-linked'
  return about.isDeliveredHidden ? 'withheld' : 'withheld-linked'
}
