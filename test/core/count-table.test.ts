import fc from 'fast-check'
import { test } from 'tap'
import {
  type CountedCell,
  countCsvOf,
  countTableOf,
  linesOf,
  type ShownCell,
} from '../../src/core/count-table.ts'
import { Refusal } from '../../src/core/errors.ts'
import type { CountTable } from '../../src/core/policy-sections.ts'
import { tellingPlaces } from '../../src/core/table-difference.ts'

const asked: CountTable = {
  count: 'persons',
  rows: { table: 'reg', column: 'SEX', take: 'all' },
  columns: { table: 'reg', column: 'AGE', take: 'all' },
  threshold: 10,
  pool: false,
}

/** The first table of its dimensions. */
const first = { earlier: [], draw: () => 0 }

/** Cells of persons from rows of `row column count`. */
function cellsOf(text: string): CountedCell[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [row = '', column = '', count = '0'] = line.trim().split(' ')
      const value = (label: string): string | null => (label === '-' ? null : label)
      const persons = Number(count)
      return { row: value(row), column: value(column), count: persons, persons }
    })
}

function faultOf(act: () => unknown): Readonly<Record<string, string | number>> {
  try {
    act()
  } catch (error) {
    if (error instanceof Refusal && error.code === 'policy-refused') return error.details
    throw error
  }
  throw new Error('it was taken')
}

test('a table leaves with all its cells and margins, and a code where a count is hidden', async (t) => {
  const cells = cellsOf(`
    1 40 30
    1 50 40
    1 - 3
    2 40 50
    2 50 60
    2 - 70`)
  const table = countTableOf('age', asked, cells, first)
  t.match(table, { primary: 1, complementary: 3, pooled: 0 })
  const csv = countCsvOf(asked, linesOf(table)).split('\n')
  t.equal(csv[0], 'reg.SEX,reg.AGE,persons')
  t.same(csv.slice(1, 4), ['1,(none),*', '1,40,*', '1,50,40'])
  t.same(csv.slice(-7), [
    '1,(all),73',
    '2,(all),180',
    '(all),(none),73',
    '(all),40,80',
    '(all),50,100',
    '(all),(all),253',
    '',
  ])
})

test('a value that a spreadsheet would run is inert, and one that reads as a total is refused', async (t) => {
  const cells = cellsOf(`
    =1+1 a 20
    =1+1 b 30
    c,d a 40
    c,d b 50`)
  const csv = countCsvOf(asked, linesOf(countTableOf('inert', asked, cells, first)))
  t.match(csv, /^'=1\+1,a,20$/m)
  t.match(csv, /^"c,d",b,50$/m)
  for (const label of ['(all)', '(other)', '(none)']) {
    const faulty = cells.map((cell) => ({ ...cell, column: label }))
    t.match(
      faultOf(() => countTableOf('age', asked, faulty, first)),
      { fault: /total/, counts: 'age' },
    )
  }
})

test('rare values refuse a table, or are counted together until they are enough', async (t) => {
  const cells = cellsOf(`
    1 a 30
    2 a 40
    1 b 30
    2 b 40
    1 c 2
    2 c 5
    2 d 1`)
  t.match(
    faultOf(() => countTableOf('rare', asked, cells, first)),
    { counts: 'rare', fault: 'rows or columns below the threshold', threshold: 10, small: 2 },
  )
  const more = cellsOf('1 e 40\n2 e 30')
  const pooled = countTableOf('rare', { ...asked, pool: true }, [...cells, ...more], first)
  t.same(pooled.columns, ['b', 'e', '(other)'], 'eight are too few, so the next is among them')
  t.equal(pooled.pooled, 3)
  const enough = [...cells, ...more, ...cellsOf('1 f 5\n2 f 4')]
  t.same(countTableOf('rare', { ...asked, pool: true }, enough, first).columns, [
    'a',
    'b',
    'e',
    '(other)',
  ])
  t.match(
    faultOf(() => countTableOf('none', asked, [], first)),
    { fault: 'a table of nobody' },
  )
  const many = Array.from({ length: 101 }, (_, at) => `${at}`)
  const wide = many.flatMap((row) =>
    many.map((column) => ({ row, column, count: 10, persons: 10 })),
  )
  t.match(
    faultOf(() => countTableOf('wide', asked, wide, first)),
    { fault: 'a table of too many values' },
  )
})

test('no pooled table has a row or column of too few, and none loses anybody', async (t) => {
  const cell = fc.record({
    row: fc.constantFrom('a', 'b', 'c', 'd', null),
    column: fc.constantFrom('x', 'y', 'z', null),
    persons: fc.integer({ min: 1, max: 60 }),
  })
  const cells = fc.uniqueArray(cell, {
    selector: ({ row, column }) => `${row} ${column}`,
    minLength: 4,
  })
  let made = 0
  fc.assert(
    fc.property(cells, (some) => {
      const counted = some.map((each) => ({ ...each, count: each.persons }))
      let lines: ShownCell[]
      try {
        lines = linesOf(countTableOf('p', { ...asked, pool: true }, counted, first))
      } catch (error) {
        if (error instanceof Refusal) return true
        throw error
      }
      made += 1
      const all = counted.reduce((sum, { count }) => sum + count, 0)
      const margins = lines.filter(({ row, column }) => row === '(all)' || column === '(all)')
      const isEnough = margins.every(({ count = 0 }) => count >= 10)
      const isSmall = lines.some(({ count = 10 }) => count < 10)
      return isEnough && !isSmall && lines.at(-1)?.count === all
    }),
  )
  t.ok(made > 20, `${made} tables`)
})

test('what an earlier table hides is hidden again, with a draw of its own', async (t) => {
  const cells = cellsOf(`
    =1 a 3
    =1 b 30
    =1 c 40
    2 a 50
    2 b 60
    2 c 70`)
  const before = linesOf(countTableOf('p', asked, cells, first)).map((cell) => ({
    ...cell,
    row: cell.row === '=1' ? "'=1" : cell.row, // As it stands in its file.
  }))
  const hiddenOf = (some: readonly CountedCell[], draw: number): string[] =>
    linesOf(countTableOf('p', asked, some, { earlier: [before], draw: () => draw }))
      .filter(({ count }) => count === undefined)
      .map(({ row, column }) => `${row} ${column}`)
  const known = before.filter(({ count }) => count === undefined).length
  t.equal(known, 4)
  for (const draw of [0, 0.5, 0.999]) t.equal(hiddenOf(cells, draw).length, known, 'the same four')
  const grown = cells.map((cell) => ({
    ...cell,
    count: cell.count + 50,
    persons: cell.persons + 50,
  }))
  t.same(hiddenOf(grown, 0.999), hiddenOf(cells, 0), 'though nothing is small any more')
})

test('beside an earlier table, few persons in a cell, a margin or the rest of a line are told', async (t) => {
  const tableOf = (counts: (number | undefined)[][], labels = ['a', 'b', 'c']): ShownCell[] => {
    const known = [
      [100, 200, 300],
      [400, 500, 600],
    ]
    const total = (numbers: (number | undefined)[], hidden: number[]): number =>
      numbers.reduce<number>((sum, count, at) => sum + (count ?? hidden[at] ?? 0), 0)
    return [
      ...counts.flatMap((line, row) =>
        line.map((count, at) => ({ row: `${row}`, column: labels[at] ?? '', count })),
      ),
      ...counts.map((line, row) => {
        return { row: `${row}`, column: '(all)', count: total(line, known[row] ?? []) }
      }),
      ...labels.map((column, at) => {
        const line = counts.map((each) => each[at])
        return {
          row: '(all)',
          column,
          count: total(
            line,
            known.map((each) => each[at] ?? 0),
          ),
        }
      }),
      {
        row: '(all)',
        column: '(all)',
        count: counts.reduce((sum, line, row) => sum + total(line, known[row] ?? []), 0),
      },
    ]
  }
  const before = tableOf([
    [100, 200, 300],
    [400, 500, 600],
  ])
  const places = (...now: Parameters<typeof tableOf>): number =>
    tellingPlaces(before, tableOf(...now), 10)
  t.equal(
    places([
      [100, 200, 300],
      [400, 500, 600],
    ]),
    0,
    'nobody came and nobody went',
  )
  t.equal(
    places([
      [110, 230, 300],
      [400, 500, 650],
    ]),
    0,
    'enough came everywhere',
  )
  t.ok(
    places([
      [103, 200, 300],
      [400, 500, 600],
    ]) > 0,
    'three came',
  )
  t.ok(
    places([
      [100, 200, 300],
      [400, 491, 600],
    ]) > 0,
    'nine went',
  )
  t.ok(
    places([
      [103, 240, 300],
      [417, 500, 600],
    ]) > 0,
    'three came among more',
  )
  t.ok(
    tellingPlaces(
      tableOf([
        [undefined, undefined, 300],
        [undefined, undefined, 600],
      ]),
      tableOf([
        [102, 205, 340],
        [430, 540, 600],
      ]),
      10,
    ) > 0,
    'hidden at first, but the rest of its row tells',
  )
  const other = tableOf(
    [
      [100, 200, 300],
      [400, 500, 600],
    ],
    ['a', 'b', '(other)'],
  )
  t.equal(tellingPlaces(before, other, 10), 0)
  const grown = tableOf(
    [
      [100, 200, 304],
      [400, 500, 600],
    ],
    ['a', 'b', '(other)'],
  )
  t.ok(tellingPlaces(before, grown, 10) > 0, 'what was put together is the rest of its row')
})
