/**
 * A table of counts as it leaves: its values in order, rare ones put together, small counts hidden, with its margins; and
 * whether it would tell anything beside an earlier table of the same dimensions.
 */
import { cellOf, inert } from './csv-cell.ts'
import { Refusal } from './errors.ts'
import { policyRefused } from './policy.ts'
import type { CountTable } from './policy-sections.ts'
import { type Protected, type Protection, protectTable, type TwoWays } from './small-cells.ts'

/** A cell that counts somebody. null: the value is missing, or was hidden. */
export type CountedCell = {
  row: string | null
  column: string | null
  count: number
  persons: number
}

/** A table ready to leave. */
export type MadeTable = Protected & {
  rows: string[]
  columns: string[]
  counts: number[][]
  /** Values that were put together. */
  pooled: number
}

/** Stands for a count that is not shown. */
export const hiddenCode = '*'

const labels = { missing: '(none)', other: '(other)', all: '(all)' } as const
const cellsMax = 10_000

/** A value as it stands in the file of a table. */
export function labelOf(value: string | null): string {
  return inert(value ?? labels.missing)
}

/**
 * Makes the table.
 *
 * @param how - what earlier tables of the same dimensions show, in the words of their files; and the draw of `protectTable`.
 * @throws {Refusal} `policy-refused` naming the table: too many values, a row or column of too few persons, a cell that
 *   cannot be protected, a value that reads as one of ours.
 */
export function countTableOf(
  name: string,
  asked: CountTable,
  cells: readonly CountedCell[],
  how: { earlier: readonly (readonly ShownCell[])[]; draw: () => number },
): MadeTable {
  const reserved: readonly (string | null)[] = Object.values(labels)
  if (cells.some(({ row, column }) => reserved.includes(row) || reserved.includes(column))) {
    throw policyRefused({ counts: name, fault: 'a value that reads as a total' })
  }
  const rows = levelsOf(asked, cells, 'row')
  const columns = levelsOf(asked, cells, 'column')
  if (rows.names.length * columns.names.length > cellsMax) {
    throw policyRefused({ counts: name, fault: 'a table of too many values', cellsMax })
  }
  const empty = (): number[][] => rows.names.map(() => columns.names.map(() => 0))
  const [counts, persons] = [empty(), empty()]
  for (const cell of cells) {
    const [row, column] = [rows.placeOf(cell.row), columns.placeOf(cell.column)]
    add(counts, { row, column }, cell.count)
    add(persons, { row, column }, cell.persons)
  }
  const made = { rows: rows.names, columns: columns.names, counts }
  const pooled = rows.pooled + columns.pooled
  if (cells.length === 0) throw policyRefused({ counts: name, fault: 'a table of nobody' })
  const table = asked.count === 'persons' ? { counts } : { counts, persons }
  const { draw } = how
  const hidden = hiddenBefore(made, how.earlier)
  const { threshold } = asked
  return { ...made, pooled, ...protectedOf(name, table, { threshold, hidden, draw }) }
}

/**
 * What an earlier table hides is hidden again: whoever takes it for unchanged would have it, and by it what it was hidden
 * for. Rare values that were put together may be others now.
 */
function hiddenBefore(
  { rows, columns }: Pick<MadeTable, 'rows' | 'columns'>,
  earlier: readonly (readonly ShownCell[])[],
): boolean[][] {
  const cells = earlier.flat().filter(({ count }) => count === undefined)
  const places = new Set(
    cells
      .filter(({ row, column }) => row !== labels.other && column !== labels.other)
      .map(({ row, column }) => JSON.stringify([row, column])),
  )
  const placeOf = (row: string, column: string): string =>
    JSON.stringify([inert(row), inert(column)])
  return rows.map((row) => columns.map((column) => places.has(placeOf(row, column))))
}

function protectedOf(name: string, table: TwoWays, protection: Protection): Protected {
  try {
    return protectTable(table, protection)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw policyRefused({ counts: name, ...error.details })
  }
}

type Levels = { names: string[]; placeOf: (value: string | null) => number; pooled: number }

/** The values of one side in order; those below the threshold together, if the policy says so. */
function levelsOf(
  { threshold, pool, count }: CountTable,
  cells: readonly CountedCell[],
  side: 'row' | 'column',
): Levels {
  const sizes = new Map<string, number>()
  for (const cell of cells) {
    const label = cell[side] ?? labels.missing
    const known = sizes.get(label) ?? 0
    // Persons of two cells may be the same, unless each is counted once.
    sizes.set(label, count === 'persons' ? known + cell.persons : Math.max(known, cell.persons))
  }
  const bySize = [...sizes].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
  const together = new Set<string>()
  let persons = 0
  for (const [label, size] of pool ? bySize : []) {
    const isDone = together.size === 0 || (persons >= threshold && together.size > 1)
    if (size >= threshold && isDone) break
    together.add(label)
    persons = count === 'persons' ? persons + size : Math.max(persons, size)
  }
  const names = [...sizes.keys()].filter((label) => !together.has(label)).sort()
  if (together.size > 0) names.push(labels.other)
  const places = new Map(names.map((label, place) => [label, place]))
  return {
    names,
    pooled: together.size,
    placeOf: (value) => {
      const label = value ?? labels.missing
      return places.get(together.has(label) ? labels.other : label) ?? 0
    },
  }
}

function add(
  table: number[][],
  { row, column }: { row: number; column: number },
  count: number,
): void {
  const line = table[row]
  if (line) line[column] = (line[column] ?? 0) + count
}

/** The columns of the file of a table: what stands in a row, in a column, and how many. */
export function countColumns({ rows, columns, count }: CountTable): [string, string, string] {
  const nameOf = ({ table, column }: CountTable['rows']): string => `${table}.${column}`
  return [nameOf(rows), nameOf(columns), count]
}

/** The lines of a table: every cell, and the margins as those of `(all)`. Hidden counts are undefined. */
export function linesOf({ rows, columns, counts, hidden }: MadeTable): ShownCell[] {
  const total = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
  const inner = rows.flatMap((row, at) =>
    columns.map((column, place): ShownCell => {
      const count = counts[at]?.[place] ?? 0
      return { row, column, count: hidden[at]?.[place] ? undefined : count }
    }),
  )
  const { all } = labels
  return [
    ...inner,
    ...rows.map((row, at) => ({ row, column: all, count: total(counts[at] ?? []) })),
    ...columns.map((column, place) => {
      return { row: all, column, count: total(counts.map((line) => line[place] ?? 0)) }
    }),
    { row: all, column: all, count: total(counts.flat()) },
  ]
}

/** One line of a table as everybody sees it. */
export type ShownCell = { row: string; column: string; count: number | undefined }

/** The file of a table: UTF-8, LF, a header; a value that a spreadsheet would run begins with an apostrophe. */
export function countCsvOf(asked: CountTable, lines: readonly ShownCell[]): string {
  const header = countColumns(asked).map(cellOf).join(',')
  const text = lines.map(({ row, column, count }) =>
    [cellOf(row), cellOf(column), count ?? hiddenCode].join(','),
  )
  return `${[header, ...text].join('\n')}\n`
}
