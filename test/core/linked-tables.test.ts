import fc from 'fast-check'
import { test } from 'tap'
import type { ShownCell } from '../../src/core/count-table.ts'
import { determinedCells } from '../../src/core/determined-cells.ts'
import { Refusal } from '../../src/core/errors.ts'
import { linkedPlaces, type Shared, sharedSideOf } from '../../src/core/linked-tables.ts'
import { protectTable } from '../../src/core/small-cells.ts'

const threshold = 10
const same = { earlier: 'same', now: 'same' } as const
const rowNames = ['A', 'B', 'C', 'D']
const bands = ['0-9', '10-19', '20-29', '30-39']
const wide = new Map([
  ['0-9', '0-19'],
  ['10-19', '0-19'],
  ['20-29', '20-39'],
  ['30-39', '20-39'],
])
/** The earlier table is the finer one, or the new one. */
const toWide: Shared = { row: same, column: { earlier: wide, now: 'same' } }
const toNarrow: Shared = { row: same, column: { earlier: 'same', now: wide } }

type Hidden = (row: number, column: number) => boolean

/** A table with its margins as its file shows it. */
function shown(counts: readonly number[][], names: string[], isHidden: Hidden): ShownCell[] {
  const total = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
  const nameOf = (row: number): string => rowNames[row] ?? ''
  return [
    ...counts.flatMap((line, row) =>
      line.map((count, column) => ({
        row: nameOf(row),
        column: names[column] ?? '',
        count: isHidden(row, column) ? undefined : count,
      })),
    ),
    ...counts.map((line, row) => ({ row: nameOf(row), column: '(all)', count: total(line) })),
    ...names.map((column, at) => ({
      row: '(all)',
      column,
      count: total(counts.map((line) => line[at] ?? 0)),
    })),
    { row: '(all)', column: '(all)', count: total(counts.flat()) },
  ]
}

const widened = (counts: readonly number[][]): number[][] =>
  counts.map(([a = 0, b = 0, c = 0, d = 0]) => [a + b, c + d])
const open: Hidden = () => false
const counts = [
  [4, 36, 20, 20],
  [20, 20, 20, 20],
  [20, 20, 20, 20],
]
const wideNames = ['0-19', '20-39']
const places = (isHidden: Hidden, coarse = widened(counts), isHiddenThen = open): number[] => {
  const fine = shown(counts, bands, isHidden)
  const sums = shown(coarse, wideNames, isHiddenThen)
  return [
    linkedPlaces(fine, sums, { shared: toWide, threshold }),
    linkedPlaces(sums, fine, { shared: toNarrow, threshold }),
  ]
}

test('values hang together where each of the finer is part of one of the coarser', async (t) => {
  const pairs = [...wide].map(([earlier, now]) => ({ earlier, now }))
  t.same(sharedSideOf(pairs), { earlier: wide, now: 'same' })
  t.same(sharedSideOf(pairs.map(({ earlier, now }) => ({ earlier: now, now: earlier }))), {
    earlier: 'same',
    now: wide,
  })
  t.equal(sharedSideOf([...pairs, { earlier: '0-9', now: '20-39' }])?.earlier, undefined)
})

test('a sum does not tell what is hidden among its parts', async (t) => {
  const corner = (columns: number[]): Hidden => {
    return (row, column) => row < 2 && columns.includes(column)
  }
  t.same(places(corner([0, 1])), [0, 0], 'a wide band hides both, and forty are left')
  const told = places(corner([0, 2]))
  t.ok(
    told.every((count) => count > 0),
    'a wide band less what is shown of it leaves the four',
  )
  t.same(places(corner([0, 2]), widened(counts), corner([0, 1])), [0, 0], 'it is hidden as well')
  const few = counts.map((line, row) => (row === 0 ? [4, 5, 36, 20] : line))
  const fine = shown(few, bands, corner([0, 1]))
  const sums = shown(widened(few), wideNames, open)
  t.ok(linkedPlaces(fine, sums, { shared: toWide, threshold }) > 0, 'nine for two hidden cells')
})

test('a table of as many cells as there may be is held against another in seconds', async (t) => {
  const names = Array.from({ length: 100 }, (_, at) => `${at}`)
  const table = (count: number | undefined): ShownCell[] =>
    names.flatMap((row) => names.map((column) => ({ row, column, count })))
  const began = performance.now()
  const shared: Shared = { row: same, column: same }
  t.equal(linkedPlaces(table(undefined), table(100), { shared, threshold }), 10_000)
  t.ok(performance.now() - began < 30_000) // Of 10^8 rectangles; some seconds on one slow core.
})

test('sums of other persons are compared as those of the same dimensions are', async (t) => {
  const with3 = counts.map((line, row) => (row === 2 ? [23, 20, 20, 20] : line))
  t.ok(
    places(open, widened(with3)).every((count) => count > 0),
    'three came',
  )
  const with30 = counts.map((line, row) => (row === 2 ? [50, 20, 20, 20] : line))
  t.same(places(open, widened(with30)), [0, 0], 'enough came')
})

test('of tables that share one dimension the margins are compared, of others the totals', async (t) => {
  const turned = (cells: ShownCell[]): ShownCell[] =>
    cells.map(({ row, column, count }) => ({ row: column, column: row, count }))
  const other = (moved: number): ShownCell[] =>
    shown(
      [
        [76 + moved, 4],
        [40, 40 - moved],
        [40, 40],
      ],
      ['M', 'F'],
      open,
    ) // Ten of each at least or not: margins count.
  const earlier = shown(counts, bands, open)
  const byRow: Shared = { row: same }
  t.equal(linkedPlaces(earlier, other(0), { shared: byRow, threshold }), 0)
  t.ok(linkedPlaces(earlier, other(5), { shared: byRow, threshold }) > 0, 'five moved from B to A')
  t.equal(linkedPlaces(earlier, other(5), { shared: {}, threshold }), 0, 'the total is the same')
  const less = shown(
    [
      [76, 4],
      [40, 37],
      [40, 40],
    ],
    ['M', 'F'],
    open,
  )
  t.ok(linkedPlaces(earlier, turned(less), { shared: {}, threshold }) > 0, 'three went')
})

test('what passes tells no hidden cell exactly', async (t) => {
  const tables = fc.array(fc.array(fc.nat({ max: 40 }), { minLength: 4, maxLength: 4 }), {
    minLength: 3,
    maxLength: 4,
  })
  let [passed, refused] = [0, 0]
  fc.assert(
    fc.property(tables, fc.double({ min: 0, max: 0.99, noNaN: true }), (made, drawn) => {
      let hidden: boolean[][]
      try {
        hidden = protectTable({ counts: made }, { threshold, draw: () => drawn }).hidden
      } catch (error) {
        if (error instanceof Refusal) return true
        throw error
      }
      const fine = shown(made, bands, (row, column) => hidden[row]?.[column] ?? false)
      const sums = shown(widened(made), wideNames, open)
      const found = linkedPlaces(fine, sums, { shared: toWide, threshold })
      const at = (row: number, column: number): number => row * 4 + column
      const rows = made.map((_, row) => bands.map((_, column) => at(row, column)))
      const columns = bands.map((_, column) => made.map((_, row) => at(row, column)))
      const wider = rows.flatMap((row) => [row.slice(0, 2), row.slice(2)])
      const isHidden = new Set(hidden.flat().flatMap((isIt, cell) => (isIt ? [cell] : [])))
      const told = determinedCells([...rows, ...columns, ...wider], isHidden)
      if (found > 0) refused += 1
      else if (isHidden.size > 0) passed += 1
      return found > 0 || told.length === 0
    }),
    { numRuns: 500 },
  )
  t.ok(passed > 3 && refused > 3, `${passed} passed, ${refused} refused`)
})
